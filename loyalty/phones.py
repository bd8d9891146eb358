"""Chinese cell phone numbers as the seed writes them: eleven ASCII digits, no country code, no spaces."""

PATTERN = r"1[34578][0-9]{9}"
