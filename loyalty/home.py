"""On the first page: how Siebel does, since these web processes started."""

from collections import defaultdict

from django.utils.translation import gettext_lazy as _

from loyalty import metrics
from staff.home import Content, panel


@panel("siebel", _("Calls of Siebel, since the start"), "loyalty.view_siebelrequest")
def siebel() -> Content:
    outcomes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    buckets: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    for sample in metrics.samples("loyalty_siebel_seconds"):
        service = sample.labels["service"]
        if sample.name.endswith("_count"):
            outcomes[service][sample.labels["outcome"]] += int(sample.value)
        elif sample.name.endswith("_bucket"):
            buckets[service][float(sample.labels["le"])] += sample.value
    rows = [
        (service, found["done"], found["refused"], found["failed"], _within(buckets[service], 0.95))
        for service, found in sorted(outcomes.items())
    ]
    return Content(headers=(_("Service"), _("Done"), _("Refused"), _("Failed"), _("95 % within")), rows=rows)


def _within(buckets: dict[float, float], share: float) -> str:
    """The first of a histogram's bounds that so many stay within."""
    total = max(buckets.values(), default=0)
    bound = next((bound for bound in sorted(buckets) if total and buckets[bound] >= share * total), None)
    return "-" if bound is None else f"{bound:g} s"
