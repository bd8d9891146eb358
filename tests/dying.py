"""A process that is killed or stalls at a chosen point, run by test_killed.py. Production code knows nothing of it.

KILL_AT is `module:name:before|after|stall:nth call`. DO is what to do until then: a request as JSON, the number of a
batch, the message to deliver, or the name of a command.
"""

import json
import os
import signal
import time
from importlib import import_module
from itertools import count
from typing import Any

import django


def arm(point: str) -> None:
    """Put the end of this process before or after the nth call of a function, or make it wait there and go on."""
    module, path, when, nth = point.split(":")
    *parents, name = path.split(".")
    owner: Any = import_module(module)
    for parent in parents:
        owner = getattr(owner, parent)
    whole, calls = getattr(owner, name), count(1)

    def dying(*args: Any, **kwargs: Any) -> Any:
        last = next(calls) == int(nth)
        if last and when == "before":
            die()
        answer = whole(*args, **kwargs)
        if last and when == "after":
            die()
        if last:
            linger()
        return answer

    setattr(owner, name, dying)


def linger() -> None:
    os.write(1, b"here\n")
    time.sleep(float(os.environ["LINGER"]))


def die() -> None:
    linger()
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    django.setup()
    from django.core.management import call_command
    from django.test import Client

    from sms import delivery
    from wechat import imports

    arm(os.environ["KILL_AT"])
    todo = json.loads(os.environ["DO"])
    if isinstance(todo, int):
        imports.run(todo)
    elif "deliver" in todo:
        delivery.deliver(todo["deliver"])
    elif isinstance(todo, str):
        call_command(*todo.split())
    else:
        Client().generic(
            todo["method"], todo["path"], json.dumps(todo["body"]), "application/json", headers=todo["headers"]
        )


if __name__ == "__main__":
    main()
