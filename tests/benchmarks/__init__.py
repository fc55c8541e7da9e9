"""The benchmark: what the product does, beside the least that the database or the queue could do it in.

    python manage.py benchmark --records 100000        (or make bench RECORDS=100000)

__main__ makes the servers and prints, data.py fills them, floors.py knows the bare statements, backfills.py
and changes.py measure. No part of the test suite.
"""
