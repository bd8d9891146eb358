"""Messages in the admin: the texts, which staff edit, and what became of each message, without what it said."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.admin import LinesField
from loyalty.admin_site import QuickListAdmin, ReadOnlyAdmin
from sms import limits, watch
from sms.models import Desk, Line, Message, Pin, Template


@admin.register(Template)
class TemplateAdmin(QuickListAdmin):
    list_display = ("key", "channel", "language", "text", "provider_code")
    list_filter = ("channel", "language")
    search_fields = ("key__startswith", "text__icontains", "provider_code__exact")
    fields = ("channel", "key", "language", "subject", "text", "provider_code", "provider_variables", "preview")

    def get_readonly_fields(self, request: HttpRequest, obj: Template | None = None) -> tuple[str, ...]:
        return ("channel", "key", "language", "preview") if obj else ("preview",)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "text":
            kwargs["widget"] = AdminTextareaWidget(attrs={"rows": 4})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="preview, once saved")
    def preview(self, template: Template) -> str:
        try:
            template.clean()
        except ValidationError:
            return "-"
        values = {
            "pin": "123456",
            "brand": settings.BRAND_NAME,
            "minutes": str(settings.PIN_LIFETIME_SECONDS // 60),
            "link": f"{settings.BASE_URL}/…",
            "card": "1234",
        }
        subject, text = template.fill(**values)
        filled = ", ".join(f"{name}={value}" for name, value in template.for_provider(values).items())
        approved = f"{gettext('To a provider that keeps the texts:')} {template.provider_code}({filled})"
        return "\n\n".join(filter(None, (subject, text, template.provider_code and approved)))


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    masked = ("recipient",)
    list_display = ("id", "channel", "recipient", "template", "state", "code", "attempts", "created_at", "ended_at")
    list_filter = ("channel", "state", "created_at")
    search_fields = ("recipient__exact", "customer_id__exact")
    search_help_text = "A cell phone, an e-mail address or a customer id, whole."
    fields = (
        "reference",
        "channel",
        "recipient",
        "customer_id",
        "template",
        "subject",
        "state",
        "code",
        "reason",
        "attempts",
        "provider_id",
        "request_id",
        "created_at",
        "due_at",
        "published_at",
        "handed_over_at",
        "expires_at",
        "ended_at",
    )


@admin.register(Pin)
class PinAdmin(ReadOnlyAdmin):
    masked = ("recipient",)
    list_display = ("purpose", "recipient", "tries", "expires_at")
    list_display_links = ("purpose", "recipient")
    list_filter = ("purpose", "expires_at")
    ordering = ("-id",)
    search_fields = ("recipient__exact", "customer_id__exact")
    search_help_text = "A cell phone, an e-mail address or a customer id, whole."
    fields = ("purpose", "recipient", "customer_id", "tries", "expires_at")


@admin.register(Line)
class LineAdmin(ReadOnlyAdmin):
    list_display = ("gateway", "failures", "closed_until")
    fields = ("gateway", "failures", "closed_until")


class DeskForm(forms.ModelForm):
    prefixes = LinesField(
        label=_("Numbers allowed"),
        required=False,
        help_text=_("The beginnings of the numbers that may get short messages, one a line; empty: all."),
    )

    class Meta:
        model = Desk
        fields = ("is_stopped", "prefixes")


@admin.register(Desk)
class DeskAdmin(QuickListAdmin):
    form = DeskForm
    list_display = ("__str__", "is_stopped", "prefixes", "what_is_wrong")
    fields = ("is_stopped", "prefixes", "what_is_wrong", "pins_used", "share_of_the_day", "waiting")
    readonly_fields = ("what_is_wrong", "pins_used", "share_of_the_day", "waiting")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Desk | None = None) -> bool:
        return False

    @admin.display(description="alarms")
    def what_is_wrong(self, desk: Desk) -> str:
        said = gettext("%(meaning)s, since %(since)s")
        alarms = [(gettext(watch.MEANING.get(name, name)), since) for name, since in desk.alarms.items()]
        return "; ".join(said % {"meaning": meaning, "since": since} for meaning, since in alarms) or "-"

    @admin.display(description="PINs used")
    def pins_used(self, desk: Desk) -> str:
        used, of = watch.pins_used()
        return gettext("%(used)d of the last %(of)d") % {"used": used, "of": of}

    @admin.display(description="of the daily ceiling")
    def share_of_the_day(self, desk: Desk) -> str:
        return f"{limits.share_of_the_day():.0%}"

    @admin.display(description="oldest message that waits")
    def waiting(self, desk: Desk) -> str:
        return gettext("%d seconds") % watch.seconds_waiting()
