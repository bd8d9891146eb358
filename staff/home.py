"""What a shift needs at a glance: each app says in its home.py what stands on the admin's first page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise

Text = str | Promise


@dataclass(frozen=True)
class Bar:
    """Work under way, in per cent."""

    text: str
    percent: int
    url: str


@dataclass(frozen=True)
class Content:
    """`figures`: what each is called and how much it is. `plot`: series by name, each with a value a day."""

    figures: Sequence[tuple[Text, Any]] = ()
    plot: Mapping[str, Mapping[date, int]] = field(default_factory=dict)
    bars: Sequence[Bar] = ()
    headers: Sequence[Text] = ()
    rows: Sequence[Sequence[Any]] = ()
    alarms: Sequence[Text] = ()
    url: str = ""

    @property
    def days(self) -> list[date]:
        return list(next(iter(self.plot.values()), ()))

    @property
    def drawn(self) -> dict[str, Any]:
        """For home.js."""
        return {
            "days": [f"{day:%m-%d}" for day in self.days],
            "series": [{"label": str(name), "data": list(values.values())} for name, values in self.plot.items()],
        }

    @property
    def table(self) -> list[tuple[date, list[int]]]:
        """The same as text."""
        return [(day, [values[day] for values in self.plot.values()]) for day in self.days]


@dataclass(frozen=True)
class Panel:
    key: str
    title: Text
    permission: str
    draw: Callable[[], Content]


_PANELS: list[Panel] = []


def panel(key: str, title: Text, permission: str) -> Callable[[Callable[[], Content]], Callable[[], Content]]:
    """Put what a function answers on the first page of whoever holds the permission."""

    def add(draw: Callable[[], Content]) -> Callable[[], Content]:
        _PANELS.append(Panel(key, title, permission, draw))
        return draw

    return add


def panels(request: HttpRequest) -> list[tuple[Panel, Content]]:
    return [(panel, panel.draw()) for panel in _PANELS if request.user.has_perm(panel.permission)]
