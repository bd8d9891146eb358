"""Customers in the admin: what is theirs, each in a list of its own."""

from django.contrib import admin

from customers import member_admin  # noqa: F401 (it registers itself)
from customers.models import Address, ConsentChange, Erasure, KnownAddress, MobileWindow, Note, ProofToken
from loyalty.admin_site import ReadOnlyAdmin


@admin.register(Address)
class AddressAdmin(ReadOnlyAdmin):
    masked = ("contact_phone",)
    list_display = ("address_id", "member", "is_primary", "country", "state", "city")
    list_filter = ("is_primary",)
    list_select_related = ("member",)
    ordering = ("address_id",)
    search_fields = ("address_id__exact", "member__customer_id__exact")
    fields = (
        "address_id",
        "member",
        "is_primary",
        "country",
        "state",
        "city",
        "zip",
        "address",
        "contact_name",
        "contact_phone",
        "created_at",
    )


@admin.register(ConsentChange)
class ConsentChangeAdmin(ReadOnlyAdmin):
    list_display = ("at", "member", "opt_out", "reason", "actor", "request_id")
    list_select_related = ("member",)
    list_filter = ("opt_out",)
    search_fields = ("member__customer_id__exact", "request_id__exact")
    fields = ("member", "at", "opt_out", "reason", "actor", "request_id")


@admin.register(ProofToken)
class ProofTokenAdmin(ReadOnlyAdmin):
    masked = ("proved",)
    list_display = ("id", "customer_id", "purpose", "channel", "created_at", "expires_at", "used_at")
    list_filter = ("purpose", "channel")
    search_fields = ("customer_id__exact", "proved__exact")
    search_help_text = "A customer id, or the phone or e-mail address that was proved, whole."
    fields = ("customer_id", "purpose", "channel", "proved", "created_at", "expires_at", "used_at")


@admin.register(MobileWindow)
class MobileWindowAdmin(ReadOnlyAdmin):
    list_display = ("customer_id", "expires_at")
    ordering = ("-expires_at",)
    search_fields = ("customer_id__exact",)
    fields = ("customer_id", "expires_at")


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ("at", "customer_id", "reason", "actor")
    search_fields = ("customer_id__exact",)
    fields = ("customer_id", "at", "reason", "actor", "rows", "request_id")


@admin.register(Note)
class NoteAdmin(ReadOnlyAdmin):
    """What staff noted; it is written on a customer's page."""

    list_display = ("at", "customer_id", "staff", "text")
    search_fields = ("customer_id__exact",)
    fields = ("at", "customer_id", "staff", "text")


@admin.register(KnownAddress)
class KnownAddressAdmin(ReadOnlyAdmin):
    list_display = ("digest", "seen_at")
    ordering = ("-seen_at",)
    fields = ("digest", "seen_at")
