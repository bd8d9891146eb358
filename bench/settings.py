"""The product's settings, with a CRM that takes no time where BENCH_CRM asks for it."""

import os

from config.settings import *  # noqa: F403

if os.environ.get("BENCH_CRM") == "obliging":
    SIEBEL_TRANSPORTS = {"embedded": "bench.obliging.crm"}
