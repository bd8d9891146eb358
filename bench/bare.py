"""The floor of getCard: a bare Django view that claims a card in one statement. `gunicorn bench.bare:application`."""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path

import config.settings as product

settings.configure(
    DATABASES=product.DATABASES, SECRET_KEY="bench" * 10, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, USE_TZ=True
)
CLAIM = """
    UPDATE wechat_poolcard SET status = 'Issued', pin = '', issued_at = now()
    FROM (
        SELECT id, pin FROM wechat_poolcard WHERE status = 'Pooled' ORDER BY batch_id, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS next
    WHERE wechat_poolcard.id = next.id RETURNING number, next.pin, customer_id
"""


def draw(request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute(CLAIM)
        number, pin, customer_id = cursor.fetchone()
    response = JsonResponse({"msrCard": number, "pin": pin, "customerId": customer_id})
    response["Content-Length"] = str(len(response.content))
    return response


urlpatterns = [path("api/Wechats/getCard", draw)]
django.setup()
application = WSGIHandler()
