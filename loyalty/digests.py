"""Digests of short secrets (card PINs, SMS PINs): HMAC-SHA-256 under `PIN_PEPPERS`; the first signs, all verify."""

import hashlib
import hmac

from django.conf import settings


def _hmac(pepper: str, parts: tuple[str, ...]) -> str:
    return hmac.new(pepper.encode(), "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


def keyed(*parts: str) -> str:
    """64 hex characters. Name the use first (`"card-pin"`), so that one use's digest means nothing to another."""
    return _hmac(settings.PIN_PEPPERS[0], parts)


def keyed_for_ever(*parts: str) -> str:
    """As `keyed`, under the oldest pepper: for what is looked up by its digest, while that pepper is kept."""
    return _hmac(settings.PIN_PEPPERS[-1], parts)


def matches(digest: str, *parts: str) -> bool:
    """Compare in constant time, whichever pepper signed."""
    found = [hmac.compare_digest(digest, _hmac(pepper, parts)) for pepper in settings.PIN_PEPPERS]
    return any(found)


def token_digest(token: str) -> str:
    """For 256 random bits a plain hash is enough, and can be looked up by index."""
    return hashlib.sha256(token.encode()).hexdigest()
