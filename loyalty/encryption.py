"""Secrets that must be read again (pool PINs, message texts), encrypted under `PIN_KEYS`: one encrypts, all decrypt.

A sealed text reads `key id:Fernet token`, so that rows under an old key are found by prefix. What a text belongs to is
sealed with it: a ciphertext moved to another row does not open there.
"""

import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class UnknownKey(Exception):
    """Sealed under a key that is not in PIN_KEYS: the text is whole, the settings are not."""


class Unreadable(Exception):
    """Sealed for another owner, or damaged: nobody will ever read it here."""


def key_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def prefix() -> str:
    """What a text begins with that is sealed under the first key."""
    return f"{key_id(settings.PIN_KEYS[0])}:"


@lru_cache(maxsize=4)
def _keyring(keys: tuple[str, ...]) -> dict[str, Fernet]:
    return {key_id(key): Fernet(key) for key in keys}


def seal(text: str, *, owner: str) -> str:
    """Encrypt `text` for `owner` (a card number, a message reference) under the first key."""
    ring = _keyring(tuple(settings.PIN_KEYS))
    name, fernet = next(iter(ring.items()))
    return f"{name}:{fernet.encrypt(f'{owner}|{text}'.encode()).decode()}"


def unseal(sealed: str, *, owner: str) -> str:
    """Raises UnknownKey, Unreadable."""
    name, _, token = sealed.partition(":")
    fernet = _keyring(tuple(settings.PIN_KEYS)).get(name)
    if fernet is None:
        raise UnknownKey(name)
    try:
        text = fernet.decrypt(token.encode()).decode()
    except InvalidToken:
        raise Unreadable("damaged") from None
    sealed_for, _, text = text.partition("|")
    if sealed_for != owner:
        raise Unreadable("sealed for another owner")
    return text
