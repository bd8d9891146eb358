"""How passwords are hashed and which are refused."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from loyalty import errors

MAX_LENGTH = 128


class Argon2idHasher(Argon2PasswordHasher):
    """OWASP's Argon2id: 19 MiB, two passes, one lane; with Django's own 100 MiB eight log-ins at once fill a server."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1


def demand_strong(password: str, *, user_name: str = "", **profile: str) -> None:
    """Raises PasswordNotStrong (with `details`) for what Django's validators refuse.

    Likeness to `profile` (email, first_name, last_name) and to the brand's name included.
    """
    person: Any = get_user_model()(username=user_name, **profile)  # never saved: the validators look at a model
    person.brand = settings.BRAND_NAME
    try:
        validate_password(password, user=person)
    except ValidationError as error:
        raise errors.PasswordNotStrong(extra={"details": {"password": error.messages}}) from None
