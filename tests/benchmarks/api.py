"""The API's speed: requests a second and the slowest hundredth, beside a view that does nothing on the same server.

    python -m tests.benchmarks.api --records 1000000

On a PostgreSQL of its own, one web server of two processes as `make run` starts it, four clients at once. No test.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.servers import free_port, postgres_server, valkey_server

ROOT = Path(__file__).resolve().parent.parent.parent
CLIENTS, SECONDS = 4, 8.0
FILL = """
INSERT INTO associations_record (object_type_id, properties, created_at, updated_at, name_key)
SELECT 1, jsonb_build_object('email', 'c' || n || '@example.com', 'firstname', 'First ' || n,
    'city', 'City ' || n % 50000), now(), now(), '' FROM generate_series(1, {records}) AS n;
INSERT INTO associations_record (object_type_id, properties, created_at, updated_at, name_key)
SELECT 4, jsonb_build_object('name', 'Company ' || n), now(), now(), '' FROM generate_series(1, 3000) AS n;
INSERT INTO associations_changeset (at, source, note, depth, processed_at)
VALUES (now(), 'system', 'benchmark', 0, now());
INSERT INTO associations_association (source_id, type_id, target_id, change_set_id)
SELECT (SELECT min(id) FROM associations_record), 279, id, (SELECT max(id) FROM associations_changeset)
FROM associations_record WHERE object_type_id = 4 ORDER BY id LIMIT 500;
INSERT INTO associations_association (source_id, type_id, target_id, change_set_id)
SELECT (SELECT min(id) FROM associations_record) + n, 279, (SELECT max(id) FROM associations_record) - n % 2000,
(SELECT max(id) FROM associations_changeset) FROM generate_series(10000, {records} - 1) AS n;
"""

Request = tuple[str, str, object]


class Client:
    """One connection that stays open."""

    def __init__(self, address: str, token: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: object) -> float:
        """Seconds until the answer is there."""
        sent = None if body is None else json.dumps(body)
        began = time.perf_counter()
        self.connection.request(method, path, sent, self.headers)
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:300]!r}")
        return time.perf_counter() - began


def measure(name: str, address: str, token: str, requests: Callable[[], Request], seconds: float = SECONDS) -> None:
    end = time.perf_counter() + seconds

    def one(_: int) -> list[float]:
        client, times = Client(address, token), []
        client.ask(*requests())
        while time.perf_counter() < end:
            times.append(client.ask(*requests()))
        return times

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        times = sorted(each for found in pool.map(one, range(CLIENTS)) for each in found)
    rate = len(times) / (time.perf_counter() - began)
    middle, slow = (times[min(len(times) - 1, int(len(times) * part))] * 1000 for part in (0.5, 0.99))
    print(f"{name:<42} {rate:>8.1f} /s {middle:>9.1f} ms {slow:>9.1f} ms", flush=True)


def run(address: str, token: str, records: int) -> None:
    numbers, pairs = count(), count()
    objects, associations = "/crm/v3/objects", "/crm/v4/associations/contacts/companies/batch/create"
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]

    def contact() -> dict[str, object]:
        return {"properties": {"email": f"new{next(numbers)}@example.com", "firstname": "Ada", "city": "Bern"}}

    def two_thousand() -> Request:
        first = next(pairs) * 20
        inputs = [
            {
                "from": {"id": str(1 + (first + number // 100) % records)},
                "to": {"id": str(records + 1 + number % 100)},
                "types": spec,
            }
            for number in range(2000)
        ]
        return "POST", associations, {"inputs": inputs}

    def found(value: str) -> Request:
        filters = [{"propertyName": "city", "operator": "EQ", "value": value}]
        return "POST", f"{objects}/contacts/search", {"filterGroups": [{"filters": filters}], "limit": 10}

    print(f"{'':<42} {'requests':>10} {'median':>12} {'p99':>12}")
    measure("a view that does nothing", address, token, lambda: ("GET", "/healthz", None))
    measure("create a record", address, token, lambda: ("POST", f"{objects}/contacts", contact()))
    measure("read a record", address, token, lambda: ("GET", f"{objects}/contacts/17", None))
    measure(
        "create 100 records",
        address,
        token,
        lambda: ("POST", f"{objects}/contacts/batch/create", {"inputs": [contact() for _ in range(100)]}),
    )
    page = f"/crm/v4{objects.removeprefix('/crm/v3')}/contacts/1/associations/companies?limit=500"
    measure("page of 500 associations", address, token, lambda: ("GET", page, None))
    measure("create 2,000 associations", address, token, two_thousand)
    measure(
        f"search {records:,} records, some 20 found", address, token, lambda: found(f"CITY {next(numbers) % 50000}")
    )
    measure("search, none found", address, token, lambda: found("nowhere"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    records = parser.parse_args().records
    with tempfile.TemporaryDirectory() as folder, postgres_server(durable=True) as database, valkey_server() as queue:
        environment = os.environ | {
            "DATA_DIR": folder,
            "DATABASE_URL": database.url,
            "REDIS_URL": queue.url,
            "API_RATE_LIMIT": "0",
        }

        def manage(*arguments: str) -> str:
            command = [sys.executable, str(ROOT / "manage.py"), *arguments]
            return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

        manage("migrate", "-v0")
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute((FILL.format(records=records) + "ANALYZE;").encode())
        token = manage("create_api_token", "benchmark", "--scope", "all").split()[-1]
        address = f"http://127.0.0.1:{free_port()}"
        options = "--preload --workers=2 --threads=4 --log-level=warning --no-control-socket"
        command = [sys.executable, "-m", "gunicorn", "--bind", urlsplit(address).netloc, *options.split()]
        server = subprocess.Popen([*command, "--pythonpath", str(ROOT), "crmproject.wsgi"], env=environment)
        try:
            time.sleep(6)
            run(address, token, records)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
