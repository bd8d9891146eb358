"""HTTP calls to systems outside that end in time and say whether they can have had an effect.

No redirects, no cookies, a connection of its own for each, TLS verified, an answer of bounded size. The deadline holds
for the whole call: a server that drips is cut off, too. Who keeps connections takes `Adapter` and `timed` from here.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from heapq import heappop, heappush
from itertools import count
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

MAX_ANSWER = 64 * 1024
_CONNECT_SECONDS = 3


class NotSent(Exception):
    """No connection: the other side knows nothing of it."""


class NoAnswer(Exception):
    """Sent, as far as we know, and no whole answer came: it may have had its effect."""


class TimedOut(NoAnswer):
    """… because the time was over."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


def post(url: str, *, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
    """Raises NotSent, NoAnswer."""
    with timed(seconds):
        return _post(url, body, headers, seconds)


class Call:
    """One call: whether it got through to the other side, and the socket to be shut when its time is over."""

    def __init__(self) -> None:
        self.connected = self.over = self.ended = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

    def watch(self, connection: socket.socket) -> None:
        """A duplicate, since TLS takes the socket itself over."""
        with self._lock:
            self._sockets.append(socket.socket(fileno=os.dup(connection.fileno())))

    def cut(self) -> None:
        with self._lock:
            self.over = True
            for connection in self._sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            self.ended = True
            for connection in self._sockets:
                connection.close()
            self._sockets.clear()


class _Watchdog:
    """One thread cuts the calls of a process off, each at its time: a thread for each would cost what the call does."""

    def __init__(self) -> None:
        self._calls: list[tuple[float, int, Call]] = []
        self._number = count()
        self._changed = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def watch(self, call: Call, seconds: float) -> None:
        with self._changed:
            heappush(self._calls, (time.monotonic() + seconds, next(self._number), call))
            if self._calls[0][2] is call:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            self._await_first().cut()

    def _await_first(self) -> Call:
        """The next call whose time is over."""
        with self._changed:
            while True:
                while self._calls and self._calls[0][2].ended:
                    heappop(self._calls)
                left = self._calls[0][0] - time.monotonic() if self._calls else None
                if left is not None and left <= 0:
                    return heappop(self._calls)[2]
                self._changed.wait(left)


@lru_cache(maxsize=1)
def _watchdog(process: int) -> _Watchdog:
    return _Watchdog()


_current: ContextVar[Call] = ContextVar("call")


@contextmanager
def timed(seconds: float) -> Iterator[Call]:
    """A block with one call through an `Adapter`, cut off after so long. Raises NotSent, NoAnswer, TimedOut."""
    call = Call()
    token = _current.set(call)
    _watchdog(os.getpid()).watch(call, seconds)
    try:
        yield call
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        if not call.connected:
            kind: type[Exception] = NotSent
        else:
            kind = TimedOut if call.over or isinstance(error, requests.Timeout) else NoAnswer
        raise kind(type(error).__name__) from None
    finally:
        call.close()
        _current.reset(token)


def _post(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
    told = {"Connection": "close", "Accept-Encoding": "identity", **headers}
    with requests.Session() as session:
        session.mount("http://", Adapter())
        session.mount("https://", Adapter())
        with session.post(
            url,
            data=body,
            headers=told,
            auth=no_netrc,
            timeout=(min(_CONNECT_SECONDS, seconds), seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            content = response.raw.read(MAX_ANSWER + 1, decode_content=False)
            if _current.get().over or len(content) > MAX_ANSWER:
                raise requests.Timeout("Cut off, or too large.")
            return Answer(response.status_code, content)


def no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without an `auth`, requests would put a .netrc entry in the place of our own Authorization header."""
    return request


class _Watching:
    """What a connection of urllib3 tells the call that it serves."""

    def _new_conn(self) -> socket.socket:
        connection: socket.socket = super()._new_conn()  # type: ignore[misc]
        _current.get().watch(connection)
        return connection

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        _current.get().connected = True

    def request(self, *args: Any, **kwargs: Any) -> None:
        _watch_again(self)  # type: ignore[arg-type]
        super().request(*args, **kwargs)  # type: ignore[misc]


class _Watched(_Watching, HTTPConnection):
    """Over http."""


class _WatchedTls(_Watching, HTTPSConnection):
    """Over https."""


def _watch_again(connection: HTTPConnection) -> None:
    """A connection that was kept from an earlier call."""
    if connection.sock is not None:
        _current.get().watch(connection.sock)
        _current.get().connected = True


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


_POOLS = {"http": _Pool, "https": _TlsPool}


class Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
