"""The core's own operations: diagnostics. Their paths are the seed's."""

import json
import re

from rest_framework.response import Response

from loyalty import diagnostics, errors
from loyalty.access import client
from loyalty.answers import DataSerializer
from loyalty.operations import ApiRequest, OperationViewSet, operation
from loyalty.scopes import Scope

LONGEST_MS = 120_000


class DiagnosticsViewSet(OperationViewSet):
    @operation(
        "GET",
        "Orders/forcegc",
        tag="Order",
        access=client(Scope.OPS),
        answer=DataSerializer,
        per_client={"FORCEGC_PER_CLIENT_MINUTE": 60},
    )
    def force_gc(self, request: ApiRequest) -> Response:
        """Force a garbage collection.

        In the process that happens to answer. `data` is JSON text with what was freed; one collection at a time.
        """
        return Response({"data": json.dumps(diagnostics.collect())})

    @operation(
        "GET",
        "Orders/getHeap",
        tag="Order",
        access=client(Scope.OPS),
        answer=DataSerializer,
        per_client={"GETHEAP_PER_CLIENT_MINUTE": 60},
    )
    def get_heap(self, request: ApiRequest) -> Response:
        """Get the current heap figures.

        Of the process that happens to answer; `data` is JSON text.
        """
        return Response({"data": json.dumps(diagnostics.heap())})

    @operation(
        "GET",
        "Orders/recordHeap",
        tag="Order",
        access=client(Scope.OPS),
        answer=DataSerializer,
        per_client={"RECORDHEAP_PER_CLIENT_MINUTE": 60},
    )
    def record_heap(self, request: ApiRequest) -> Response:
        """Write a heap snapshot into the diagnostics folder.

        `data` is its path on the server. It tells which lines of code hold memory, never what; the newest ten are kept.
        """
        return Response({"data": str(diagnostics.record())})

    @operation("GET", "Orders/siebelTimeOut/{timeout}", tag="Order", access=client(Scope.OPS), answer=DataSerializer)
    def siebel_time_out(self, request: ApiRequest, timeout: str) -> Response:
        """Ask Siebel to answer after `timeout` milliseconds, 0 to 120000.

        504 where that is later than we wait for Siebel. One request at a time.
        """
        if not re.fullmatch("[0-9]{1,6}", timeout) or int(timeout) > LONGEST_MS:
            raise errors.ValidationError({"timeout": [f"A whole number of milliseconds, 0 to {LONGEST_MS}."]})
        return Response({"data": diagnostics.ask_siebel(int(timeout))})
