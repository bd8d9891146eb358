"""What the card pool asks of Siebel, in our words."""

from collections.abc import Sequence

from loyalty import siebel
from loyalty.dates import wire_date
from wechat.rows import CardRow


def pre_allot(cards: Sequence[CardRow], *, actor: str, trace_id: str) -> tuple[dict[str, str], dict[str, str]]:
    """Let Siebel know the cards with their members.

    Answers card number → customer id of those that may be pooled, and card number → reason of the others.
    """
    if not cards:
        return {}, {}
    reply = siebel.call(
        "Loyalty Card Pool",
        "PreAllot",
        {
            **siebel.write(actor, trace_id),
            "Cards": [
                {
                    "CardNumber": card.number,
                    "CardPassword": card.pin,
                    "ExpirationDate": wire_date(card.end_date),
                    "MemberNumber": card.customer_id,
                }
                for card in cards
            ],
        },
    )
    rows = reply.get("Cards") or []
    allotted = {row["CardNumber"]: row["MemberNumber"] for row in rows if row.get("MemberNumber")}
    refused = {row["CardNumber"]: row["Problem"] for row in rows if row.get("Problem")}
    return allotted, refused
