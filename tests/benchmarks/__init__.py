"""The benchmark: what the product does, beside the least that the database or the queue could do it in.

    python manage.py benchmark --records 100000        (or make bench RECORDS=100000)

__main__ makes the servers and prints, data.py fills them, floors.py and floor_server.py know the least there is to do,
backfills.py, pages.py, load.py and changes.py measure. `--only` takes the names in parts.py.
The suite only tries that it runs.
"""
