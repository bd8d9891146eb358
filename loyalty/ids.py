"""Row ids in Siebel's fashion, `1-` and upper-case base 36, from a random source so that nobody can guess one."""

import re
import secrets
import string

PATTERN = re.compile(r"1-[0-9A-Z]{1,13}", re.ASCII)
_ALPHABET = string.digits + string.ascii_uppercase
_MANY = 36**10


def new_row_id() -> str:
    """Twelve characters; ten of them random (51 bits)."""
    number = secrets.randbelow(_MANY)
    signs = []
    for _ in range(10):
        number, sign = divmod(number, 36)
        signs.append(_ALPHABET[sign])
    return "1-" + "".join(signs)
