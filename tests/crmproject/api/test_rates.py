"""Rate limits: counted per token in a real Valkey."""

from typing import Any

import pytest
import redis

from crmproject.api import rates
from tests.asking import Asking

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.crmproject.api.probe")]


def test_every_answer_says_what_is_left(ask, settings):
    settings.API_RATE_LIMIT = 1000
    ask.get("/crm/probe")
    answer = ask.get("/crm/probe")
    assert answer["X-HubSpot-RateLimit-Max"] == "1000"
    assert answer["X-HubSpot-RateLimit-Remaining"] == "998"
    assert answer["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert answer["X-HubSpot-RateLimit-Daily-Remaining"] == str(int(answer["X-HubSpot-RateLimit-Daily"]) - 2)


def test_over_the_limit_a_token_has_to_wait_and_another_one_has_not(settings):
    asking, other = Asking.with_token(rate_limit=2), Asking.with_token()
    assert [asking.get("/crm/probe").status_code for _ in range(3)] == [200, 200, 429]
    answer = asking.get("/crm/probe")
    assert answer.json() | {"correlationId": ""} == {
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": "",
        "policyName": "TEN_SECONDLY_ROLLING",
        "category": "RATE_LIMITS",
    }
    assert 1 <= int(answer["Retry-After"]) <= 10 and answer["X-HubSpot-RateLimit-Remaining"] == "0"
    assert other.get("/crm/probe").status_code == 200


def test_the_window_rolls(queue_server, settings):
    asking = Asking.with_token(rate_limit=1)
    assert asking.get("/crm/probe").status_code == 200
    assert asking.get("/crm/probe").status_code == 429
    client: Any = redis.Redis.from_url(settings.REDIS_URL)
    [key] = client.keys("api:*:ten_seconds")
    [(mark, moment)] = client.zrange(key, 0, 0, withscores=True)
    client.zadd(key, {mark: moment - rates.SECONDS * 1000})
    assert asking.get("/crm/probe").status_code == 200


def test_a_day_has_its_own_limit(settings):
    settings.API_RATE_LIMIT_DAILY = 1
    asking = Asking.with_token()
    asking.get("/crm/probe")
    answer = asking.get("/crm/probe")
    assert answer.status_code == 429 and answer.json()["policyName"] == "DAILY"


def test_without_a_queue_server_nobody_is_held_up(queue_server, settings, caplog):
    queue_server.kill()
    asking = Asking.with_token(rate_limit=1)
    assert [asking.get("/crm/probe").status_code for _ in range(2)] == [200, 200]
    assert "not counted" in caplog.text
