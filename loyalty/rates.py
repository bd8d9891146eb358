"""Limits against crowds: counted in Redis, one atomic script a request. With Redis away they let everybody through.

What guards a secret does not stand here, see budgets.py.
"""

from collections.abc import Sequence

from redis.exceptions import RedisError

from loyalty import errors
from loyalty.redis_store import redis

# Each key is a window; the answer is the milliseconds to wait, 0 where every window had room (then all are counted).
_SCRIPT = """
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[2 * i - 1]) then
    return math.max(redis.call('PTTL', key), 1)
  end
end
for i, key in ipairs(KEYS) do
  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[2 * i]) end
end
return 0
"""
_UNITS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hour": 3600, "day": 86_400}


def parse(rate: str) -> tuple[int, int]:
    """`120/min` → (120, 60). Raises ValueError."""
    limit, _, unit = rate.partition("/")
    if unit not in _UNITS:
        raise ValueError(f"{rate} is not a rate such as 120/min.")
    return int(limit), _UNITS[unit]


def hit(subject: str, windows: Sequence[tuple[str, int, int]]) -> None:
    """Count one request of `subject` in each window (name, limit, seconds).

    Raises TooManyRequests with the seconds to wait.
    """
    keys = [f"rate:{name}:{subject}" for name, _, _ in windows]
    numbers = [number for _, limit, seconds in windows for number in (limit, seconds * 1000)]
    try:
        with redis() as connection:
            wait = connection.eval(_SCRIPT, len(keys), *keys, *numbers)
    except RedisError:
        return
    if wait:
        raise errors.TooManyRequests(retry_after=int(wait) / 1000)
