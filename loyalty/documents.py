"""The API's documents as pages: Swagger UI and ReDoc out of the sidecar, asking no other host for anything."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import drf_spectacular_sidecar
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.templatetags.static import static
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

# ReDoc styles its page by script and works in a blob.
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self' blob:; frame-ancestors 'none'"
)
_REDOC = Path(drf_spectacular_sidecar.__path__[0], "static/drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js")
_LOGO_ELSEWHERE = "https://cdn.redoc.ly/redoc/logo-mini.svg"


class OwnHostOnly:
    """Gives a page its Content-Security-Policy."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        response["Content-Security-Policy"] = POLICY
        return response


class SwaggerPage(OwnHostOnly, SpectacularSwaggerSplitView):
    """Its script comes from an address of its own, so that the page needs none inline."""


class RedocPage(OwnHostOnly, SpectacularRedocView):
    template_name = "loyalty/redoc.html"


def favicon(request: HttpRequest) -> HttpResponse:
    return redirect(static("drf_spectacular_sidecar/swagger-ui-dist/favicon-32x32.png"))


def redoc_bundle(request: HttpRequest) -> HttpResponse:
    """ReDoc's script without the picture that it would fetch from its makers."""
    return HttpResponse(_bundle(), content_type="text/javascript", headers={"Cache-Control": "max-age=86400"})


@lru_cache
def _bundle() -> str:
    return _REDOC.read_text().replace(_LOGO_ELSEWHERE, "data:,")
