"""Card files on an SFTP server: key log-in, one pinned host key, a time limit on every wait, no retry of its own."""

import base64
import errno
import posixpath
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO
from urllib.parse import unquote, urlsplit

import paramiko
import structlog
from django.conf import settings

from loyalty import errors
from wechat import card_files
from wechat.card_files import Alive, Found, Place

log = structlog.get_logger()
_NOT_THERE = (errno.ENOENT, errno.EACCES)


@dataclass(frozen=True)
class SftpCardFiles:
    """`host_key` as `ssh-keyscan` prints it behind the host's name: `ssh-ed25519 AAAA…`."""

    host: str
    port: int
    user: str
    folder: str
    key_file: str
    host_key: str
    seconds: float

    @classmethod
    def from_settings(cls) -> "SftpCardFiles":
        """SFTP_URL reads `sftp://user@host:22/folder`."""
        url = urlsplit(settings.SFTP_URL)
        return cls(
            host=url.hostname or "",
            port=url.port or 22,
            user=unquote(url.username or ""),
            folder=unquote(url.path) or ".",
            key_file=settings.SFTP_KEY_FILE,
            host_key=settings.SFTP_HOST_KEY,
            seconds=settings.SFTP_TIMEOUT_SECONDS,
        )

    @contextmanager
    def open(self, name: str, place: Place = Place.TOP) -> Iterator[IO[bytes]]:
        card_files.demand_name(name, place)
        with self._session() as server:
            path = self._path(name, place)
            with _found():
                _demand_regular(server, path)
                stream = server.open(path, "rb", bufsize=32_768)
                _demand_regular(server, path)  # no link has taken its place meanwhile
            with stream:
                yield stream

    def put(self, name: str, content: IO[bytes], alive: Alive) -> None:
        card_files.demand_name(name)
        with self._session() as server:
            part = self._path(f".{name}.{secrets.token_hex(4)}.part")
            try:
                with _found(), server.open(part, "wx") as target:
                    target.chmod(0o600)
                    target.set_pipelined(True)
                    copied = card_files.copy(content, target, alive)
                if server.stat(part).st_size != copied:
                    raise errors.CardFilesUnavailable
                server.posix_rename(part, self._path(name))
            except BaseException:
                with suppress(OSError, EOFError, paramiko.SSHException):
                    server.remove(part)
                raise

    def inbox(self) -> list[Found]:
        with self._session() as server:
            try:
                entries = server.listdir_attr(self._path("", Place.INBOX))
            except FileNotFoundError:
                return []
            return [
                Found(entry.filename, entry.st_size or 0, entry.st_mtime or 0)
                for entry in entries
                if stat.S_ISREG(entry.st_mode or 0) and card_files.is_component(entry.filename)
            ]

    def file_away(self, name: str, place: Place, new_name: str) -> None:
        with self._session() as server, _found():
            with suppress(OSError):  # it is there
                server.mkdir(self._path("", place), 0o700)
            server.posix_rename(self._path(name, Place.INBOX), self._path(new_name, place))

    def _path(self, name: str, place: Place = Place.TOP) -> str:
        return posixpath.join(self.folder, place, name)

    @contextmanager
    def _session(self) -> Iterator[paramiko.SFTPClient]:
        client = paramiko.SSHClient()  # refuses a host whose key it does not know
        kind, encoded = self.host_key.split()[:2]
        pinned = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
        known_as = self.host if self.port == 22 else f"[{self.host}]:{self.port}"
        client.get_host_keys().add(known_as, kind, pinned)
        try:
            client.connect(
                self.host,
                self.port,
                self.user,
                pkey=paramiko.PKey.from_path(self.key_file),
                allow_agent=False,
                look_for_keys=False,
                timeout=self.seconds,
                banner_timeout=self.seconds,
                auth_timeout=self.seconds,
                channel_timeout=self.seconds,
            )
            with client.open_sftp() as server:
                server.get_channel().settimeout(self.seconds)
                yield server
        except paramiko.BadHostKeyException:
            log.error("sftp_host_key_differs", host=self.host)
            raise errors.CardFilesNotTrusted from None
        except (OSError, EOFError, paramiko.SSHException) as error:
            log.warning("sftp_away", host=self.host, kind=type(error).__name__)
            raise errors.CardFilesUnavailable from None
        finally:
            client.close()


@contextmanager
def _found() -> Iterator[None]:
    """Raises DirOrFileNotFound for what is not there or not for us."""
    try:
        yield
    except OSError as error:
        if error.errno in _NOT_THERE:
            raise errors.DirOrFileNotFound from None
        raise


def _demand_regular(server: paramiko.SFTPClient, path: str) -> None:
    """Raises DirOrFileNotFound for a link, a folder, a pipe."""
    if not stat.S_ISREG(server.lstat(path).st_mode or 0):
        raise errors.DirOrFileNotFound
