"""Files of orders and rewards on their way in."""

from django.db import models
from django.utils import timezone


class FileImport(models.Model):
    """A file of orders or rewards on its way in."""

    class State(models.TextChoices):
        IMPORTING = "importing"
        DONE = "done"
        FAILED = "failed"

    kind = models.CharField(max_length=10, choices=[("orders", "orders"), ("rewards", "rewards")])
    file_name = models.CharField(max_length=200)
    working_name = models.CharField(max_length=220, null=True, blank=True, unique=True, help_text="In the inbox.")
    state = models.CharField(max_length=10, choices=State, default=State.IMPORTING)
    problem = models.CharField(max_length=300, blank=True, help_text="Why it failed as a whole.")
    bytes_total = models.PositiveBigIntegerField(default=0)
    bytes_read = models.PositiveBigIntegerField(default=0)
    line = models.PositiveIntegerField(default=0, help_text="The last line that has been dealt with.")
    rows = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0, help_text="Rows that changed nothing.")
    rejected = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Starts since the last progress.")
    leased_until = models.DateTimeField(null=True, blank=True, help_text="Somebody is at it until then.")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"

    @property
    def percent(self) -> int:
        if self.state == self.State.DONE:
            return 100
        return min(100, self.bytes_read * 100 // self.bytes_total) if self.bytes_total else 0


class RejectedLine(models.Model):
    """A row of a file that was not taken, and why."""

    file_import = models.ForeignKey(FileImport, on_delete=models.CASCADE, related_name="rejected_lines")
    line = models.PositiveIntegerField()
    name = models.CharField("number or code", max_length=60, blank=True)
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ("file_import", "line")
        constraints = (models.UniqueConstraint(fields=("file_import", "line"), name="rejected_line_once"),)

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
