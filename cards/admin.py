"""Cards in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from cards import card_pins
from cards.models import Card, CardEvent
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
            self.log_change(request, card, "Forgot its wrong PINs.")
        if cards:
            self.message_user(request, f"Wrong PINs forgotten of {len(unlocked)} of {len(cards)} cards.")


@admin.register(CardEvent)
class CardEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "card", "event", "source", "target", "customer_id", "actor", "request_id")
    masked = ("card__number",)
    list_select_related = ("card",)
    list_filter = ("event",)
    search_fields = ("card__number__startswith", "customer_id__exact", "request_id__exact")
    search_help_text = "A card number or its beginning, a customer id, or a request id."
    fields = ("card", "at", "event", "source", "target", "customer_id", "actor", "reason", "request_id")
