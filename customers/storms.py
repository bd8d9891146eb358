"""Wrong passwords over all names and addresses: far more than people mistype means that somebody tries a list."""

import structlog
from redis.exceptions import RedisError

from loyalty import metrics
from loyalty.redis_store import redis

log = structlog.get_logger()
SECONDS, ALARM_AT = 300, 1000
_KEY = "login:wrong"


def note() -> None:
    """Count one; the log says once in SECONDS that there are ALARM_AT."""
    metrics.WRONG_PASSWORDS.inc()
    try:
        with redis() as connection:
            both = connection.pipeline()
            both.set(_KEY, 0, nx=True, ex=SECONDS)
            both.incr(_KEY)
            counted = both.execute()[1]
    except RedisError:
        return
    if counted == ALARM_AT:
        log.error("login_storm", wrong_passwords=counted, seconds=SECONDS)
