"""Cards in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cards import card_pins
from cards.models import Card, CardEvent
from cards.transitions import Event
from loyalty.admin_site import ReadOnlyAdmin, ReadOnlyInline


class CardEventInline(ReadOnlyInline):
    model = CardEvent
    fields = ("at", "event", "source", "target", "customer_id", "actor", "reason", "request_id")


@admin.register(Card)
class CardAdmin(ReadOnlyAdmin):
    list_display = ("number", "status", "customer", "end_date", "registered_at")
    masked = ("number",)
    list_filter = ("status", "end_date", "registered_at")
    list_select_related = ("customer",)
    search_fields = ("number__startswith", "customer__customer_id__exact", "member__customer_id__exact")
    search_help_text = "A card number or its beginning, or a customer id."
    fields = ("number", "status", "end_date", "customer", "registered_at", "replaced_by", "reason", "member")
    inlines = (CardEventInline,)
    actions = ("unlock",)

    @admin.action(description="Forget wrong PINs (unlock)", permissions=("act",))
    def unlock(self, request: HttpRequest, queryset: QuerySet[Card]) -> None:
        cards = self.selected(request, queryset)
        unlocked = [card for card in cards if card_pins.unlock(card.number)]
        for card in unlocked:
            self.log_change(request, card, gettext("Forgot its wrong PINs."))
        if cards:
            said = gettext("Wrong PINs forgotten of %(unlocked)d of %(all)d cards.")
            self.message_user(request, said % {"unlocked": len(unlocked), "all": len(cards)})


class EventFilter(admin.SimpleListFilter):
    """Of the events that there are, which nobody looks for in a million rows."""

    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(event.value, gettext(event.label)) for event in Event]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CardEvent]) -> QuerySet[CardEvent]:
        return queryset.filter(event=self.value()) if self.value() else queryset


@admin.register(CardEvent)
class CardEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "card", "event", "source", "target", "customer_id", "actor", "request_id")
    masked = ("card__number",)
    list_select_related = ("card",)
    list_filter = (EventFilter,)
    search_fields = ("card__number__startswith", "customer_id__exact", "request_id__exact")
    search_help_text = "A card number or its beginning, a customer id, or a request id."
    fields = ("card", "at", "event", "source", "target", "customer_id", "actor", "reason", "request_id")
