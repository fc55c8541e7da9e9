"""How often a token may ask: so many requests in any ten seconds, and in a day. Counted in Valkey, for all web servers.

Where Valkey does not answer nobody is held up: a limit protects the installation, it is no part of what is right.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.commands.core import Script
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from crmproject.models import ApiToken

from .errors import ApiError

logger = logging.getLogger(__name__)
SECONDS = 10
DAY = 86_400

# The moments of the last ten seconds stand in a sorted set; a request that finds no room leaves no mark. The clock is
# the server's, so that several hosts agree. Answers: how many there are now, today, and after how many milliseconds
# there is room again (0: there is).
ADMIT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local most, daily, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local used = redis.call('ZCARD', KEYS[1])
local today = tonumber(redis.call('GET', KEYS[2]) or '0')
if today >= daily then return {used, today, redis.call('PTTL', KEYS[2])} end
if used >= most then
    local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    return {used, today, oldest[2] and math.max(1, oldest[2] + window - now) or window}
end
redis.call('ZADD', KEYS[1], now, time[1] .. '.' .. time[2] .. '.' .. today)
redis.call('PEXPIRE', KEYS[1], window)
redis.call('INCR', KEYS[2])
if today == 0 then redis.call('EXPIRE', KEYS[2], ARGV[4]) end
return {used + 1, today + 1, 0}
"""


@dataclass(frozen=True)
class Allowance:
    """What a token has left after this request; `wait` are the milliseconds until there is room (0: admitted)."""

    most: int
    daily: int
    used: int
    today: int
    wait: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-HubSpot-RateLimit-Max": str(self.most),
            "X-HubSpot-RateLimit-Remaining": str(max(0, self.most - self.used)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(SECONDS * 1000),
            "X-HubSpot-RateLimit-Daily": str(self.daily),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, self.daily - self.today)),
            # The older pair, for one second of the ten.
            "X-HubSpot-RateLimit-Secondly": str(max(1, self.most // SECONDS)),
            "X-HubSpot-RateLimit-Secondly-Remaining": str(max(0, min(self.most // SECONDS, self.most - self.used))),
        }


class TokenThrottle(BaseThrottle):
    """Leaves the allowance on the view, whose answers carry it in their headers. People are not limited."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiToken):
            return True
        allowance = admit(request.auth)
        view.allowance = allowance
        if allowance is not None and allowance.wait:
            raise _too_many(allowance)
        return True


def admit(token: ApiToken) -> Allowance | None:
    """Count a request of a token, if there is room for it. None where counting is impossible or switched off."""
    most = settings.API_RATE_LIMIT if token.rate_limit is None else token.rate_limit
    if not most:
        return None
    daily = settings.API_RATE_LIMIT_DAILY or most * DAY // SECONDS
    keys = [f"api:{token.pk}:ten_seconds", f"api:{token.pk}:day"]
    try:
        used, today, wait = _script(settings.REDIS_URL)(keys, [most, daily, SECONDS * 1000, DAY])
    except RedisError as error:
        logger.warning("The queue's server does not answer; requests are not counted: %s", error)
        return None
    return Allowance(most, daily, int(used), int(today), int(wait))


@lru_cache(maxsize=4)
def _script(url: str) -> Script:
    return Redis.from_url(url).register_script(ADMIT)


def _too_many(allowance: Allowance) -> ApiError:
    daily = allowance.today >= allowance.daily
    message = "daily limit" if daily else "ten_secondly_rolling limit"
    return ApiError(
        429,
        f"You have reached your {message}.",
        errorType="RATE_LIMIT",
        policyName="DAILY" if daily else "TEN_SECONDLY_ROLLING",
        headers={**allowance.headers, "Retry-After": str(math.ceil(allowance.wait / 1000))},
    )
