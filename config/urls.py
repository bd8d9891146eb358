"""Every route: the operations of each app, their documents, the admin, health and metrics."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from customers import pages
from loyalty import documents, exception_handler, health, metrics
from sms import receipts

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/api/docs")),
    path("", include("loyalty.urls")),
    path("", include("cards.urls")),
    path("", include("customers.urls")),
    path("", include("sms.urls")),
    path("", include("wechat.urls")),
    path("", include("orders.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", documents.SwaggerPage.as_view(url_name="schema"), name="docs"),
    path("api/redoc", documents.RedocPage.as_view(url_name="schema"), name="redoc"),
    re_path(r"^api(?:/.*)?\Z", exception_handler.unknown_route),
    path("reset-password", pages.reset_password, name="reset-password"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("redoc.js", documents.redoc_bundle, name="redoc-bundle"),
    path("favicon.ico", documents.favicon, name="favicon"),
    path("health", health.page),
    path("metrics", metrics.page),
    path("sms/receipts/<str:key>/<str:gateway>", receipts.page),
]
handler400 = exception_handler.bad_request
handler403 = exception_handler.permission_denied
handler404 = exception_handler.page_not_found
handler500 = exception_handler.server_error
