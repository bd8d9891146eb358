"""A fault proxy: stands before a server's Unix socket and treats whoever comes through as `mode` says."""

import asyncio
import threading
from contextlib import suppress
from enum import Enum
from pathlib import Path


class Mode(Enum):
    PASS = "pass"
    DOWN = "down"  # every connection is cut
    MUTE = "mute"  # bytes are taken, and no answer comes
    RESET = "reset"  # cut in the middle of each call


class FaultProxy:
    def __init__(self, target: Path) -> None:
        self.target, self.mode, self.port = target, Mode.PASS, 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode is Mode.DOWN:
            writer.transport.abort()
            return
        behind_reader, behind_writer = await asyncio.open_unix_connection(self.target)
        await asyncio.gather(
            self._pump(reader, behind_writer, writer, asks=True),
            self._pump(behind_reader, writer, behind_writer, asks=False),
        )

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, other: asyncio.StreamWriter, *, asks: bool
    ) -> None:
        with suppress(OSError):
            while piece := await source.read(65_536):
                if self.mode is Mode.DOWN or (self.mode is Mode.RESET and not asks):
                    break
                if self.mode is Mode.MUTE:
                    continue
                target.write(piece)
                await target.drain()
        for writer in (target, other):
            writer.transport.abort()
