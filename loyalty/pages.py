"""Lists by the page: what a caller may ask, and the headers that say how much there is and where the rest stands."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from rest_framework import serializers

from loyalty.fields import Day, Number

LARGEST = 200


class PageQuery(serializers.Serializer[Any]):
    pageNum = Number(source="page_num", min_value=1, help_text="From 1, the newest first.")
    pageSize = Number(source="page_size", min_value=1, max_value=LARGEST, default=50)
    startDate = Day(source="start_date", default=None, help_text="The first day, in Asia/Shanghai.")
    endDate = Day(source="end_date", default=None, help_text="The last day, in Asia/Shanghai.")


def headers(path: str, query: Mapping[str, str], *, page: int, size: int, total: int) -> dict[str, str]:
    """`X-Total-Count`, and `Link` (RFC 8288) to the first, last, previous and next page with the same filters."""
    last = max(1, -(-total // size))
    numbers = {"first": 1, "prev": min(page - 1, last), "next": page + 1, "last": last}
    links = [
        f'<{path}?{urlencode({**query, "pageNum": number})}>; rel="{name}"'
        for name, number in numbers.items()
        if 1 <= number <= last
    ]
    return {"X-Total-Count": str(total), "Link": ", ".join(links)}
