"""Chinese cell phone numbers as the seed writes them: eleven ASCII digits, no country code, no spaces."""

import re

PATTERN = r"1[34578][0-9]{9}"
_NUMBER = re.compile(PATTERN, re.ASCII)


def is_cell_phone(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None
