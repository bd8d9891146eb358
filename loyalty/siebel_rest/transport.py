"""The transport `rest`: one call of Siebel, in time, whatever it takes. Retries happen here and nowhere else.

A read is tried again once, while the time and a budget of retries allow. A write goes out again only after it was
certain to have had no effect: nothing was sent, or Siebel, asked by its RequestId, said so.
"""

import random
import time
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from django.conf import settings

from loyalty import errors, outgoing
from loyalty.siebel import Arguments, CircuitOpen, Reply
from loyalty.siebel_rest import breaker, http, login, outcomes, stale, wire
from loyalty.siebel_rest.outcomes import State

log = structlog.get_logger()
_PAUSE = 0.2
_LEAST = 0.05  # seconds that a call is worth being begun for


@dataclass(frozen=True)
class Deadline:
    ends: float

    @property
    def left(self) -> float:
        return self.ends - time.monotonic()


class _Retries:
    """A tenth of the calls may be tried again, ten at once: a Siebel that fails is not called twice as often."""

    most = 10.0

    def __init__(self) -> None:
        self._left = self.most

    def earn(self) -> None:
        self._left = min(self._left + 0.1, self.most)

    def take(self, deadline: Deadline) -> bool:
        """Wait a moment, for another try; false where there should be none."""
        pause = random.uniform(0, _PAUSE)  # noqa: S311 (no secret)
        if self._left < 1 or deadline.left < pause + _LEAST:
            return False
        self._left -= 1
        time.sleep(pause)
        return True


_retries = _Retries()


def call(service: str, method: str, arguments: Arguments) -> Reply:
    """Raises SiebelUnavailable, SiebelTimeout."""
    deadline = Deadline(time.monotonic() + settings.SIEBEL_DEADLINE_SECONDS)
    _retries.earn()
    if "RequestId" not in arguments:
        return _read(service, method, arguments, deadline)
    try:
        return _write(service, method, arguments, deadline)
    finally:
        stale.forget(str(arguments.get("MemberNumber", "")))


def _read(service: str, method: str, arguments: Arguments, deadline: Deadline) -> Reply:
    for may_retry in (True, False):
        try:
            reply = _exchange(service, method, arguments, deadline)
        except CircuitOpen:
            if (kept := stale.recall(service, method, arguments)) is None:
                raise
            return wire.Reply(kept)
        except outgoing.TimedOut:
            raise errors.SiebelTimeout from None
        except (wire.NotDone, http.Busy):
            raise errors.SiebelUnavailable from None
        except (outgoing.NotSent, outgoing.NoAnswer, wire.Doubtful) as failure:
            may_retry = may_retry and not (isinstance(failure, wire.Doubtful) and not failure.busy)
            if not (may_retry and _retries.take(deadline)):
                raise errors.SiebelUnavailable from None
        else:
            if reply["ResponseCode"] == "0":
                stale.keep(service, method, arguments, reply)
            return reply
    raise errors.SiebelUnavailable


def _write(service: str, method: str, arguments: Arguments, deadline: Deadline) -> Reply:
    """Under the first RequestId that is not known to have had no effect; under the next one once more."""
    may_retry = True
    for request_id in outcomes.request_ids(arguments["RequestId"]):
        state = outcomes.begin(request_id, service, method, arguments.get("TraceId", ""))
        if state == State.REFUSED:
            continue
        if state:
            reply = _ask(request_id, deadline)  # an earlier run sent it
        else:
            reply = _send(service, method, {**arguments, "RequestId": request_id}, deadline)
        if reply is not None:
            return reply
        if not (may_retry and _retries.take(deadline)):
            break
        may_retry = False
    raise errors.SiebelUnavailable


def _send(service: str, method: str, arguments: Arguments, deadline: Deadline) -> Reply | None:
    """None where it had no effect and may be tried again. Raises SiebelUnavailable (no effect), SiebelTimeout."""
    request_id = arguments["RequestId"]
    try:
        reply = _exchange(service, method, arguments, deadline)
    except (CircuitOpen, wire.NotDone, http.Busy) as failure:
        outcomes.end(request_id, State.REFUSED)
        raise failure if isinstance(failure, errors.Refusal) else errors.SiebelUnavailable() from None
    except outgoing.NotSent:
        outcomes.end(request_id, State.REFUSED)
        return None
    except (outgoing.NoAnswer, wire.Doubtful):
        outcomes.end(request_id, State.UNKNOWN)
        return _ask(request_id, deadline)
    outcomes.end(request_id, State.DONE if reply["ResponseCode"] == "0" else State.REFUSED)
    return reply


def _ask(request_id: str, deadline: Deadline) -> Reply | None:
    """The reply of a write that was done; None for one that was not. Raises SiebelTimeout: nobody can tell now."""
    try:
        answer = _exchange(outcomes.SERVICE, outcomes.METHOD, outcomes.question(request_id), deadline)
        reply = outcomes.done_reply(answer)
    except (outgoing.NotSent, outgoing.NoAnswer, wire.Doubtful, wire.NotDone, errors.SiebelUnavailable):
        raise errors.SiebelTimeout from None
    outcomes.end(request_id, State.REFUSED if reply is None else State.DONE)
    return None if reply is None else wire.Reply(reply)


def _exchange(service: str, method: str, arguments: Arguments, deadline: Deadline) -> wire.Reply:
    """One call, its circuit asked and told. Raises CircuitOpen, NotSent, NoAnswer, TimedOut, NotDone, Doubtful."""
    if deadline.left < _LEAST:
        raise outgoing.NotSent("no time left")
    with http.slot():
        probing, worked = breaker.admit(service), False
        try:
            reply = _answer(service, method, wire.body(arguments), deadline)
            worked = True
            return reply
        except (outgoing.NotSent, outgoing.NoAnswer, wire.NotDone, wire.Doubtful) as failure:
            log.warning("siebel_failed", service=service, method=method, kind=type(failure).__name__, why=str(failure))
            raise
        finally:
            breaker.tell(service, worked=worked, probing=probing)


def _answer(service: str, method: str, content: bytes, deadline: Deadline) -> wire.Reply:
    for may_log_in_again in (True, False):
        authorization = login.authorization(deadline.left)
        answer = http.post(service, method, content, authorization=authorization, seconds=max(deadline.left, _LEAST))
        if answer.status == HTTPStatus.UNAUTHORIZED and may_log_in_again and login.renew(authorization):
            continue
        break
    return wire.read(answer.status, answer.body)
