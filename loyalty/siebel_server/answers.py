"""Answers as Siebel writes them: empty outputs left out, an only child without its list, codes behind the text."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def outputs(reply: Mapping[str, Any]) -> Answer:
    return Answer(HTTPStatus.OK, json.dumps(_written(reply), ensure_ascii=False).encode())


def error(status: int, text: str, codes: Sequence[str], headers: Mapping[str, str] | None = None) -> Answer:
    """`text(SBL-xxx-nnnnn)`, nested where there are several codes."""
    for code in codes:
        text = f"{text}({code})"
    return Answer(status, json.dumps({"ERROR": text}).encode(), headers=headers or {})


def _written(reply: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, value in reply.items():
        if isinstance(value, list):
            children = [_written(child) if isinstance(child, Mapping) else child for child in value]
            if children:
                said[name] = children[0] if len(children) == 1 else children
        elif value not in ("", None):
            said[name] = value
    return said
