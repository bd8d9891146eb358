"""The product's application in a worker that kills itself at one point: KILL_AT is `module:name:before` or `…:after`,
at a random one of its first KILL_WITHIN calls. Production code knows nothing of it."""

import os
import random
import signal
from importlib import import_module
from typing import Any

from config.wsgi import application

__all__ = ["application"]


def arm(point: str, within: int) -> None:
    module, name, when = point.split(":")
    owner = import_module(module)
    whole, left = getattr(owner, name), iter(range(random.SystemRandom().randrange(within), -1, -1))

    def mortal(*args: Any, **kwargs: Any) -> Any:
        dies = next(left, 0) == 0
        if dies and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = whole(*args, **kwargs)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, mortal)


if point := os.environ.get("KILL_AT"):
    arm(point, int(os.environ["KILL_WITHIN"]))
