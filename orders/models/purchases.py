"""What customers bought and what they were given for it."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from loyalty.ids import new_row_id


class Order(models.Model):
    """A purchase, as the shop's system reported it."""

    order_id = models.CharField(max_length=15, primary_key=True, default=new_row_id, editable=False)
    number = models.CharField(max_length=60, unique=True, help_text="The shop's own number.")
    member = models.ForeignKey("customers.Member", on_delete=models.PROTECT, related_name="orders")
    store = models.ForeignKey("loyalty.Store", on_delete=models.PROTECT, related_name="+")
    ordered_at = models.DateTimeField()
    total_amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3, default="CNY")
    stars = models.IntegerField(default=0)
    item_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-ordered_at", "-order_id")
        indexes = (models.Index(fields=("member", "-ordered_at", "-order_id"), name="order_newest_of_a_member"),)

    def __str__(self) -> str:
        return self.number


class OrderItem(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    product_code = models.CharField(max_length=60)
    product_name = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField(default=1)
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_name}"


class OrderDay(models.Model):
    """How many orders a member has of one day in Asia/Shanghai; the database itself keeps count."""

    member = models.ForeignKey("customers.Member", on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    orders = models.IntegerField()

    class Meta:
        ordering = ("member", "-day")
        constraints = (models.UniqueConstraint(fields=("member", "day"), name="order_day_once_a_member"),)

    def __str__(self) -> str:
        return f"{self.member_id} {self.day}: {self.orders}"


class Reward(models.Model):
    """A voucher: given, then used or expired."""

    class Status(models.TextChoices):
        UNUSED = "Unused"
        USED = "Used"
        EXPIRED = "Expired"

    reward_id = models.CharField(max_length=15, primary_key=True, default=new_row_id, editable=False)
    member = models.ForeignKey("customers.Member", on_delete=models.PROTECT, related_name="rewards")
    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.UNUSED)
    issued_at = models.DateTimeField(default=timezone.now)
    expiry_date = models.DateField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-issued_at", "-reward_id")
        indexes = (
            models.Index(fields=("member", "-issued_at", "-reward_id"), name="reward_newest_of_a_member"),
            models.Index(fields=("expiry_date",), condition=Q(status="Unused"), name="reward_unused_by_last_day"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(status="Used", used_at__isnull=False) | (~Q(status="Used") & Q(used_at=None)),
                name="reward_used_has_a_time",
            ),
        )

    def __str__(self) -> str:
        return self.code
