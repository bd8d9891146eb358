"""OpenSSH's own sshd on a free port of this machine, serving one folder by SFTP. Its keys are made for the test."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.environment import free_port

CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
MaxStartups 100
"""


@dataclass
class Sshd:
    """`files` is what it serves; the rest of `folder` is its own."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    listener: socket.socket | None = None  # what stands in its place, if anything

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def settings(self) -> dict[str, str]:
        return {
            "SFTP_URL": f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}{self.files}",
            "SFTP_KEY_FILE": str(self.folder / "user_key"),
            "SFTP_HOST_KEY": (self.folder / "host_key.pub").read_text(),
        }

    def make(self) -> None:
        _program()
        self.files.mkdir(parents=True)
        self.port = free_port()
        for name in ("host_key", "user_key"):
            self.new_key(name)
        (self.folder / "conf").write_text(CONFIGURATION.format(port=self.port, folder=self.folder))

    def new_key(self, name: str) -> None:
        for path in (self.folder / name, self.folder / f"{name}.pub"):
            path.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)], check=True)

    def start(self) -> None:
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it separates privileges
        program = _program()
        with (self.folder / "log").open("ab") as log:
            command = [program, "-D", "-e", "-f", str(self.folder / "conf")]
            self.process = subprocess.Popen(command, stderr=log, start_new_session=True)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        """At once, with every connection."""
        if self.process:
            self.process.send_signal(signal.SIGSTOP)  # it starts no more of them
            for child in _descendants(self.process.pid):
                with suppress(ProcessLookupError):  # its connection has just ended
                    os.kill(child, 9)
            self.process.kill()
            self.process.wait()
            self.process = None
            self._await_end()
        if self.listener:
            self.listener.close()

    def _await_end(self) -> None:
        """A killed child keeps the port for a moment."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_server(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.02)
            else:
                return


def _program() -> str:
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        if os.environ.get("SSHD_NEEDED"):
            pytest.fail("OpenSSH's sshd is needed here.")
        pytest.skip("OpenSSH's sshd is not here: apt install openssh-server")
    return found


def _descendants(pid: int) -> list[int]:
    """sshd leaves the session that it was started in, so each is found by its parent."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [found for child in map(int, children) for found in (*_descendants(child), child)]
