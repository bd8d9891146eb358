"""Members, who are customers once registered, and their addresses."""

import unicodedata

from django.db import models
from django.db.models import Q
from django.utils import timezone

from cards.members import MemberStatus
from loyalty.ids import new_row_id
from sms.models import Channel


def login_key(text: str) -> str:
    """What user names and e-mail addresses are compared by: case does not matter, nor how a letter is composed."""
    return unicodedata.normalize("NFKC", text).casefold()


def login_column(text: str) -> str:
    """The column that a submitted log-in name is looked up in: with an @ it is an e-mail address."""
    return "email_key" if "@" in login_key(text) else "user_name_key"


class Member(models.Model):
    """A member of the programme. It is created `Open` with its card; registering fills it in and makes it `Active`."""

    class Gender(models.TextChoices):
        MALE = "Male"
        FEMALE = "Female"

    class Language(models.TextChoices):
        CHS = "CHS", "简体中文"
        ENU = "ENU", "English"

    class OptOut(models.IntegerChoices):
        ALLOW = 0, "Allow"
        NOT_ALLOW = 1, "Don't allow"
        NO_THIRD_PARTY = 2, "Don't allow third parties"

    USER_NAME_KEY_LENGTH = 300

    customer_id = models.CharField(max_length=15, primary_key=True, default=new_row_id, editable=False)
    status = models.CharField(max_length=10, choices=MemberStatus, default=MemberStatus.OPEN)
    user_name = models.CharField(max_length=100, blank=True)
    user_name_key = models.CharField(
        max_length=USER_NAME_KEY_LENGTH, null=True, blank=True, unique=True, editable=False
    )
    email = models.CharField(max_length=254, blank=True)
    email_key = models.CharField(max_length=254, null=True, blank=True, unique=True, editable=False)
    password = models.CharField(max_length=128, blank=True, editable=False)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    gender = models.CharField(max_length=6, choices=Gender, blank=True)
    birthday = models.DateField(null=True, blank=True)
    language = models.CharField(max_length=3, choices=Language, blank=True)
    cell_phone = models.CharField(max_length=11, blank=True, db_index=True)
    home_phone = models.CharField(max_length=30, blank=True)
    work_phone = models.CharField(max_length=30, blank=True)
    fax = models.CharField(max_length=30, blank=True)
    hobbies = models.CharField(max_length=500, blank=True)
    notes = models.TextField(max_length=2000, blank=True)
    favourite_product = models.CharField(max_length=100, blank=True)
    favourite_product_alternate = models.CharField(max_length=100, blank=True)
    source_code = models.CharField(max_length=30, blank=True)
    opt_out = models.PositiveSmallIntegerField(choices=OptOut, null=True, blank=True)
    email_verified = models.BooleanField(default=False)
    email_activation_due = models.BooleanField(
        default=False, help_text="Imported: log-in waits until the e-mail address has been proved."
    )
    cell_phone_verified = models.BooleanField(default=False)
    star_balance = models.IntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    registered_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_reason = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at",)
        verbose_name = "customer"
        permissions = (
            ("export_member", "Can export what is held on a customer"),
            ("erase_member", "Can erase a customer"),
        )
        indexes = (
            models.Index(fields=("status", "-created_at"), name="member_by_status"),
            models.Index(fields=("-created_at",), name="member_newest"),
            models.Index(fields=("registered_at",), name="member_by_registration"),
            models.Index(
                fields=("last_name", "first_name"),
                opclasses=("varchar_pattern_ops", "varchar_pattern_ops"),
                name="member_by_name",
            ),
        )
        constraints = (
            models.CheckConstraint(condition=Q(status__in=MemberStatus.values), name="member_status_is_known"),
            models.CheckConstraint(
                condition=~Q(status=MemberStatus.ACTIVE) | Q(user_name_key__isnull=False) | Q(email_key__isnull=False),
                name="member_active_has_a_login",
            ),
        )

    def __str__(self) -> str:
        return self.customer_id

    def set_login(self, user_name: str, email: str) -> None:
        """Name and address together with the keys that keep them unique."""
        self.user_name, self.user_name_key = user_name, login_key(user_name) or None
        self.email, self.email_key = email, login_key(email) or None


class Address(models.Model):
    """A postal address. The primary one is what the API's `primary*` fields of a customer show."""

    address_id = models.CharField(max_length=15, primary_key=True, default=new_row_id, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="addresses")
    is_primary = models.BooleanField(default=False)
    country = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=100, blank=True)
    city = models.CharField(max_length=100, blank=True)
    zip = models.CharField(max_length=20, blank=True)
    address = models.CharField(max_length=300, blank=True)
    contact_name = models.CharField(max_length=100, blank=True)
    contact_phone = models.CharField(max_length=30, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-is_primary", "created_at")
        verbose_name_plural = "addresses"
        constraints = (
            models.UniqueConstraint(
                fields=("member",), condition=Q(is_primary=True), name="address_one_primary_a_member"
            ),
        )

    def __str__(self) -> str:
        return self.address_id


class ConsentChange(models.Model):
    """What a customer has allowed, each time it was said. The last one stands in Member.opt_out."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="consents")
    opt_out = models.PositiveSmallIntegerField(choices=Member.OptOut, null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=80)
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.member_id}: {self.get_opt_out_display()}"


class ProofToken(models.Model):
    """That somebody holds a customer's phone or e-mail address: good for one use, kept as a digest."""

    class Purpose(models.TextChoices):
        UPDATE = "update", "Change the profile"
        PASSWORD = "password", "Reset the password"

    customer_id = models.CharField(max_length=15, db_index=True)
    purpose = models.CharField(max_length=10, choices=Purpose)
    channel = models.CharField(max_length=5, choices=Channel)
    proved = models.CharField(max_length=254, help_text="The phone or e-mail address that it was proved with.")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.purpose} token {self.pk} of {self.customer_id}"


class MobileWindow(models.Model):
    """For some minutes after a log-in that an unverified phone refused, the phone may be verified."""

    customer_id = models.CharField(max_length=15, primary_key=True)
    ticket_digest = models.CharField(max_length=64)
    opened_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"window of {self.customer_id}"


class Erasure(models.Model):
    """That somebody was erased: the proof, which says nothing about the person."""

    customer_id = models.CharField(max_length=15, db_index=True)
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=80)
    request_id = models.CharField(max_length=64, blank=True)
    rows = models.JSONField(help_text="How many were deleted or emptied, by kind.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.customer_id} at {self.at:%Y-%m-%d}"


class Note(models.Model):
    """What staff note on a customer for each other."""

    customer_id = models.CharField(max_length=15)
    text = models.CharField(max_length=1000)
    staff = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("customer_id", "-id"), name="note_on_a_customer"),)

    def __str__(self) -> str:
        return f"note {self.pk} on {self.customer_id}"


class KnownAddress(models.Model):
    """That somebody logged in by a name from an address of the net; the digest alone tells which."""

    digest = models.CharField(max_length=64, primary_key=True)
    name = models.CharField(max_length=64, db_index=True, help_text="The digest of the name alone.")
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "known addresses"

    def __str__(self) -> str:
        return self.digest[:12]
