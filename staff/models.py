"""What staff did: one line an action, which nobody changes or deletes; the database sees to that."""

from django.db import models
from django.utils import timezone


class StaffAction(models.Model):
    """It names rows by what is no personal data, and holds no secret: it outlives whom it is about."""

    class Kind(models.TextChoices):
        ADD = "add", "Added"
        CHANGE = "change", "Changed"
        DELETE = "delete", "Deleted"
        LOOK = "look", "Looked at personal data"

    at = models.DateTimeField(default=timezone.now)
    staff = models.CharField(max_length=150)
    kind = models.CharField(max_length=6, choices=Kind)
    subject = models.CharField(max_length=100, help_text="What kind of row, such as customers.member.")
    object_id = models.CharField(max_length=64)
    object_text = models.CharField(max_length=200)
    message = models.TextField(blank=True)
    changes = models.JSONField(default=dict, help_text="Each field with its value before and after.")
    reason = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("-id",)
        permissions = (
            ("view_personal_data", "Sees phones, e-mail addresses and card numbers in full"),
            ("unmask_personal_data", "May look at one row's personal data, for a reason"),
        )
        indexes = (
            models.Index(fields=("subject", "object_id", "-id"), name="staff_action_of_a_row"),
            models.Index(fields=("staff", "-id"), name="staff_action_of_somebody"),
            models.Index(fields=("object_id", "-id"), name="staff_action_by_object"),
            models.Index(fields=("request_id",), name="staff_action_by_request"),
        )

    def __str__(self) -> str:
        return f"{self.staff}: {self.kind} {self.subject} {self.object_id}"


class DayCount(models.Model):
    """How much there was of something on a day that is over, so that nobody counts it again."""

    name = models.CharField(max_length=40)
    day = models.DateField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("name", "day"), name="day_count_once"),)

    def __str__(self) -> str:
        return f"{self.name} {self.day}: {self.count}"
