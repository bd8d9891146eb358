"""The product's application in a worker that kills itself now and then at one point: KILL_AT is `module:name:before`
or `…:after`, KILL_SHARE how often. Production code knows nothing of it."""

import os
import random
import signal
from importlib import import_module
from typing import Any

from config.wsgi import application

__all__ = ["application"]


def arm(point: str, share: float) -> None:
    module, name, when = point.split(":")
    owner = import_module(module)
    whole, dice = getattr(owner, name), random.SystemRandom()

    def mortal(*args: Any, **kwargs: Any) -> Any:
        dies = dice.random() < share
        if dies and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = whole(*args, **kwargs)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, mortal)


if point := os.environ.get("KILL_AT"):
    arm(point, float(os.environ["KILL_SHARE"]))
