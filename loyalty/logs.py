"""Logs are JSON lines: ids, codes and durations, never a phone, an e-mail, a PIN or a token."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

_PRIVATE = re.compile(r"\b1[34578][0-9]{9}\b|[\w.+-]+@[\w-]+\.[\w.-]+", re.ASCII)
_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def mask(_: Any, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """The last net: what looks like a phone number or an e-mail address in any text of a line is struck out."""
    return {name: _PRIVATE.sub("***", value) if isinstance(value, str) else value for name, value in event.items()}


def formatter() -> logging.Formatter:
    """The formatter of settings.LOGGING, for our own lines and for those of libraries."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.processors.format_exc_info],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            mask,
            structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False),
        ],
    )
