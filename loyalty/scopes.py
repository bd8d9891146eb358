"""What a REST client may be allowed to do."""

from django.db.models import TextChoices


class Scope(TextChoices):
    CUSTOMERS = "customers", "Act for any customer"
    SMS = "sms", "Send and check messages (legacy)"
    ORDERS = "orders", "Read any order"
    WECHAT = "wechat", "Draw cards from the pool"
    WECHAT_LOAD = "wechat-load", "Upload cards into the pool"
    PARTNER = "partner", "Post partner transactions"
    OPS = "ops", "Diagnostics and metrics"
