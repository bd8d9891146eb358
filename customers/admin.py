"""Customers in the admin: members, with their addresses and cards and the way to what they bought."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join

from cards.models import Card
from customers import closing, personal_data, sessions
from customers.models import Address, ConsentChange, Erasure, Member, MobileWindow, ProofToken, login_key
from loyalty import authentication, errors
from loyalty.admin_site import ReadOnlyAdmin, ReadOnlyInline, ReasonedAdmin
from loyalty.callers import Caller
from sms import pins


class AddressInline(ReadOnlyInline):
    model = Address
    masked = ("contact_phone",)
    fields = ("is_primary", "country", "state", "city", "zip", "address", "contact_name", "contact_phone")


class ConsentInline(ReadOnlyInline):
    model = ConsentChange
    fields = ("at", "opt_out", "reason", "actor", "request_id")


class CardInline(ReadOnlyInline):
    model = Card
    masked = ("number",)
    fk_name = "customer"
    fields = ("number", "status", "end_date", "registered_at", "replaced_by")


@admin.register(Member)
class MemberAdmin(ReasonedAdmin):
    masked = ("user_name", "email", "cell_phone", "home_phone", "work_phone", "fax")
    list_display = ("customer_id", "status", "user_name", "email", "cell_phone", "registered_at")
    list_filter = ("status", "language", "registered_at")
    search_fields = (
        "customer_id__exact",
        "cell_phone__exact",
        "user_name_key__exact",
        "email_key__exact",
        "last_name__startswith",
    )
    search_help_text = "A customer id, cell phone, user name or e-mail address, whole, or the beginning of a last name."
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "customer_id",
                    "status",
                    "star_balance",
                    "created_at",
                    "registered_at",
                    "closed_at",
                    "closed_reason",
                    "elsewhere",
                )
            },
        ),
        ("Log-in", {"fields": ("user_name", "email", "email_verified", "email_activation_due")}),
        ("Person", {"fields": ("first_name", "last_name", "gender", "birthday", "language")}),
        ("Phones", {"fields": ("cell_phone", "cell_phone_verified", "home_phone", "work_phone", "fax")}),
        ("Likes", {"fields": ("hobbies", "favourite_product", "favourite_product_alternate", "notes")}),
        ("Marketing", {"fields": ("source_code", "opt_out")}),
    )
    inlines = (AddressInline, CardInline, ConsentInline)
    actions = ("log_out", "unlock", "close", "reopen", "export", "erase")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Member], search_term: str
    ) -> tuple[QuerySet[Member], bool]:
        """The term as a whole, each column by its index; names and addresses in any case."""
        term, key = search_term.strip(), login_key(search_term.strip())
        if not term:
            return queryset, False
        found = Q(customer_id=term) | Q(cell_phone=term) | Q(user_name_key=key) | Q(email_key=key)
        return queryset.filter(found | Q(last_name__startswith=term)), False

    @admin.display(description="see also")
    def elsewhere(self, member: Member) -> str:
        lists = (
            ("orders_order", "member__customer_id__exact", "Orders"),
            ("orders_reward", "member__customer_id__exact", "Rewards"),
            ("loyalty_customertoken", "customer_id__exact", "Log-ins"),
            ("orders_starentry", "member__customer_id__exact", "Stars"),
            ("orders_partnertransaction", "member__customer_id__exact", "Partner transactions"),
        )
        links = ((reverse(f"admin:{page}_changelist"), column, member.pk, name) for page, column, name in lists)
        return format_html_join(" · ", '<a href="{}?{}={}">{}</a>', links)

    @admin.action(description="Log out everywhere (revoke tokens)", permissions=("act",))
    def log_out(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        members = self.selected(request, queryset)
        ended = 0
        for member in members:
            tokens = authentication.revoke_tokens(member.pk)
            self.log_change(request, member, f"Logged out everywhere; tokens revoked: {tokens}")
            ended += tokens
        if members:
            self.message_user(request, f"{len(members)} customers logged out; tokens revoked: {ended}")

    @admin.action(description="Forget wrong PINs and passwords (unlock)", permissions=("act",))
    def unlock(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        members = self.selected(request, queryset)
        for member in members:
            sessions.unlock(member.user_name, member.email)
            for recipient in filter(None, (member.cell_phone, member.email)):
                pins.unlock(recipient)
            self.log_change(request, member, "Forgot wrong PINs and passwords.")
        if members:
            self.message_user(request, f"{len(members)} customers unlocked.")

    @admin.action(description="Close the account…", permissions=("act",))
    def close(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        warning = "The account is closed, its cards are cancelled, every log-in ends. It can be undone for 14 days."
        return self._each(request, queryset, warning, closing.close, "Closed")

    @admin.action(description="Open a closed account again…", permissions=("act",))
    def reopen(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        warning = "The account is open again, and its cards are what they were. Within 14 days of its closing."
        return self._each(request, queryset, warning, closing.reopen, "Opened again")

    @admin.action(description="Erase the person for good…", permissions=("erase",))
    def erase(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        warning = (
            "This can't be undone. Profile, addresses, messages and log-ins are deleted; cards, orders and stars stay "
            "for the books, without a name. Give a case number for a reason, and no names."
        )
        return self._each(request, queryset, warning, personal_data.erase, "Erased")

    @admin.action(description="Export all that is held on the person…", permissions=("export",))
    def export(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        if queryset.count() != 1:
            self.message_user(request, "Select one customer.", messages.ERROR)
            return None
        reason = self.reason_for(request, queryset, warning="The file holds personal data: mind where it goes.")
        if isinstance(reason, HttpResponse):
            return reason
        member = queryset.get()
        self.log_change(request, member, "Exported", reason=reason)
        found = json.dumps(personal_data.export(customer_id=member.pk), ensure_ascii=False, indent=2)
        disposition = {"Content-Disposition": f'attachment; filename="customer-{member.pk}.json"'}
        return HttpResponse(found, content_type="application/json", headers=disposition)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.export_member")

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.erase_member")

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Member], warning: str, act: Callable[..., Any], done: str
    ) -> HttpResponse | None:
        """Ask for a reason, then do it to each, as far as it may be done."""
        members = self.selected(request, queryset)
        if not members:
            return None
        reason = self.reason_for(request, queryset, warning=warning)
        if isinstance(reason, HttpResponse):
            return reason
        for member in members:
            request_id: str = request.request_id  # type: ignore[attr-defined]
            caller = Caller("", request_id, customer_id=member.pk, staff=request.user.get_username())
            try:
                act(reason=reason, caller=caller)
            except errors.Refusal as refusal:
                self.message_user(request, f"{member}: {refusal.message}", messages.ERROR)
            else:
                self.log_change(request, member, done, reason=reason)
                self.message_user(request, f"{member}: {done.lower()}.")
        return None


@admin.register(Address)
class AddressAdmin(ReadOnlyAdmin):
    masked = ("contact_phone",)
    list_display = ("address_id", "member", "is_primary", "country", "state", "city")
    list_filter = ("is_primary",)
    list_select_related = ("member",)
    ordering = ("address_id",)
    search_fields = ("address_id__exact", "member__customer_id__exact")
    fields = ("address_id", "member", *AddressInline.fields, "created_at")


@admin.register(ConsentChange)
class ConsentChangeAdmin(ReadOnlyAdmin):
    list_display = ("at", "member", "opt_out", "reason", "actor", "request_id")
    list_select_related = ("member",)
    list_filter = ("opt_out",)
    search_fields = ("member__customer_id__exact", "request_id__exact")
    fields = ("member", *ConsentInline.fields)


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
