"""A customer's page in the admin, the search for it, and what staff may do there."""

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from cards.members import MemberStatus
from customers import blocking, closing, password_reset, personal_data, search, sessions
from customers import page as customer_page
from customers.models import Member, Note
from loyalty import authentication, errors
from loyalty.admin_site import ReasonedAdmin
from loyalty.callers import Caller
from sms import pins


class NoteForm(forms.ModelForm):
    class Meta:
        model = Note
        fields = ("text",)
        labels = {"text": _("Text")}
        widgets = {"text": forms.Textarea(attrs={"rows": 2})}


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
    search_help_text = _(
        "A customer id, cell phone, user name, e-mail address or card number, whole, or a name or its beginning."
    )
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
                )
            },
        ),
        (_("Log-in"), {"fields": ("user_name", "email", "email_verified", "email_activation_due")}),
        (_("Person"), {"fields": ("first_name", "last_name", "gender", "birthday", "language")}),
        (_("Phones"), {"fields": ("cell_phone", "cell_phone_verified", "home_phone", "work_phone", "fax")}),
        (_("Likes"), {"fields": ("hobbies", "favourite_product", "favourite_product_alternate", "notes")}),
        (_("Marketing"), {"fields": ("source_code", "opt_out")}),
    )
    change_form_template = "admin/customers/member/page.html"
    actions = ("log_out", "unlock", "block", "unblock", "close", "reopen", "export", "erase")
    SENSIBLE = {
        MemberStatus.ACTIVE: ("block", "close", "log_out", "unlock", "export", "erase"),
        MemberStatus.INACTIVE: ("unblock", "export", "erase"),
        MemberStatus.CLOSED: ("reopen", "export", "erase"),
    }

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Member], search_term: str
    ) -> tuple[QuerySet[Member], bool]:
        term = search_term.strip()
        return (queryset.filter(search.matching(term)) if term else queryset), False

    def get_urls(self) -> list[URLPattern]:
        view, info = self.admin_site.admin_view, "customers_member"
        pages = [
            path("find/", view(require_POST(self.find)), name=f"{info}_find"),
            path("<str:customer_id>/act/", view(require_POST(self.act)), name=f"{info}_act"),
            path("<str:customer_id>/note/", view(require_POST(self.note)), name=f"{info}_note"),
        ]
        return pages + super().get_urls()

    def find(self, request: HttpRequest) -> HttpResponse:
        """The search box of every page: to the one customer that it names, else to the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        term = request.POST.get("q", "").strip()
        if member := search.only(term):
            return redirect("admin:customers_member_change", member.pk)
        return redirect(f"{reverse('admin:customers_member_changelist')}?{urlencode({'q': term})}")

    def act(self, request: HttpRequest, customer_id: str) -> HttpResponse:
        """One of the actions, for the customer of this page."""
        actions: dict[str, Any] = self.get_actions(request)
        action = actions.get(request.POST.get("action", ""))
        if not action or not self.has_view_permission(request):
            raise PermissionDenied
        get_object_or_404(Member, pk=customer_id)
        answer: HttpResponse | None = action[0](self, request, Member.objects.filter(pk=customer_id))
        return answer or redirect("admin:customers_member_change", customer_id)

    def note(self, request: HttpRequest, customer_id: str) -> HttpResponse:
        if not request.user.has_perm("customers.add_note"):
            raise PermissionDenied
        member = get_object_or_404(Member, pk=customer_id)
        form = NoteForm(request.POST)
        if form.is_valid():
            Note.objects.create(customer_id=member.pk, staff=request.user.get_username(), **form.cleaned_data)
            self.log_change(request, member, gettext("Noted something."))
        return redirect("admin:customers_member_change", member.pk)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        member: Member = kwargs["obj"]
        allowed: dict[str, Any] = self.get_actions(request)
        names = [name for name in self.SENSIBLE.get(MemberStatus(member.status), ()) if name in allowed]
        context["buttons"] = [(name, allowed[name][2]) for name in names]
        context["tables"], context["happenings"] = customer_page.tables(request, member.pk, self.admin_site)
        if request.user.has_perm("customers.view_note"):
            context["notes"] = list(Note.objects.filter(customer_id=member.pk)[:20])
        context["note_form"] = NoteForm() if request.user.has_perm("customers.add_note") else None
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description=_("Log out everywhere (revoke tokens)"), permissions=("act",))
    def log_out(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        members = self.selected(request, queryset)
        ended = 0
        for member in members:
            tokens = authentication.revoke_tokens(member.pk)
            self.log_change(request, member, gettext("Logged out everywhere; tokens revoked: %d") % tokens)
            ended += tokens
        if members:
            self.message_user(
                request,
                gettext("%(count)d customers logged out; tokens revoked: %(ended)d")
                % {"count": len(members), "ended": ended},
            )

    @admin.action(description=_("Forget wrong PINs and passwords (unlock)"), permissions=("act",))
    def unlock(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        members = self.selected(request, queryset)
        for member in members:
            sessions.unlock(member.user_name, member.email)
            password_reset.unlock(member.pk)
            for recipient in filter(None, (member.cell_phone, member.email)):
                pins.unlock(recipient)
            self.log_change(request, member, gettext("Forgot wrong PINs and passwords."))
        if members:
            self.message_user(request, gettext("%d customers unlocked.") % len(members))

    @admin.action(description=_("Block…"), permissions=("act",))
    def block(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        warning = gettext("Nobody can log in as this customer until you take it back. Cards stay as they are.")
        return self._each(request, queryset, warning, blocking.block, gettext("Blocked"))

    @admin.action(description=_("Unblock…"), permissions=("act",))
    def unblock(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        warning = gettext("The customer may log in again.")
        return self._each(request, queryset, warning, blocking.unblock, gettext("Unblocked"))

    @admin.action(description=_("Close the account…"), permissions=("act",))
    def close(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        warning = gettext(
            "The account is closed, its cards are cancelled, every log-in ends. It can be undone for 14 days."
        )
        return self._each(request, queryset, warning, closing.close, gettext("Closed"))

    @admin.action(description=_("Open a closed account again…"), permissions=("act",))
    def reopen(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        warning = gettext("The account is open again, and its cards are what they were. Within 14 days of its closing.")
        return self._each(request, queryset, warning, closing.reopen, gettext("Opened again"))

    @admin.action(description=_("Erase the person for good…"), permissions=("erase",))
    def erase(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        warning = gettext(
            "This can't be undone. Profile, addresses, messages and log-ins are deleted; cards, orders and stars stay "
            "for the books, without a name. Give a case number for a reason, and no names."
        )
        return self._each(request, queryset, warning, personal_data.erase, gettext("Erased"))

    @admin.action(description=_("Export all that is held on the person…"), permissions=("export",))
    def export(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        if queryset.count() != 1:
            self.message_user(request, gettext("Select one customer."), messages.ERROR)
            return None
        reason = self.reason_for(
            request, queryset, warning=gettext("The file holds personal data: mind where it goes.")
        )
        if isinstance(reason, HttpResponse):
            return reason
        member = queryset.get()
        self.log_change(request, member, gettext("Exported"), reason=reason)
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
                self.message_user(request, f"{member}: {gettext(refusal.message)}", messages.ERROR)
            else:
                self.log_change(request, member, done, reason=reason)
                self.message_user(request, f"{member}: {done.lower()}.")
        return None
