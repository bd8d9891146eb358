"""Where replacement cards come from: the card pool, which lies above this app and offers itself here."""

from collections.abc import Callable

from loyalty import errors

# Claims a free card inside the caller's transaction, for a request; answers its number, or None where there is none.
Source = Callable[[str], str | None]
_sources: list[Source] = []


def offer(source: Source) -> None:
    _sources.append(source)


def claim(request_id: str) -> str:
    """The number of a card that is nobody else's now. Raises NoCardAvailable."""
    for source in _sources:
        if number := source(request_id):
            return number
    raise errors.NoCardAvailable
