"""The rows of this app, by subject."""

from orders.models.files import FileImport, RejectedLine
from orders.models.partners import PartnerTransaction, ReconciliationFile, RefusedTransaction
from orders.models.purchases import Order, OrderDay, OrderItem, Reward
from orders.models.stars import StarAdjustment, StarEntry

__all__ = [
    "FileImport",
    "Order",
    "OrderDay",
    "OrderItem",
    "PartnerTransaction",
    "ReconciliationFile",
    "RefusedTransaction",
    "RejectedLine",
    "Reward",
    "StarAdjustment",
    "StarEntry",
]
