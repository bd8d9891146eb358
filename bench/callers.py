"""Callers that ask one after the other over kept connections: how many answers a second."""

import asyncio
import time

CALLERS = 16


def rate(port: int, key: str, seconds: float) -> float:
    """Answers of 200 a second; another answer is an error."""
    request = (
        f"GET /api/Wechats/getCard HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\nConnection: keep-alive\r\n\r\n"
    ).encode()
    return asyncio.run(_all(port, request, seconds))


async def _all(port: int, request: bytes, seconds: float) -> float:
    until = time.monotonic() + seconds
    counts = await asyncio.gather(*(_one(port, request, until) for _ in range(CALLERS)))
    return sum(counts) / seconds


async def _one(port: int, request: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = 0
    while time.monotonic() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{head!r} {body!r}")
        answers += 1
    writer.close()
    return answers
