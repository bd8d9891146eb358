"""A CRM that takes no time and finds every card free."""

from collections.abc import Mapping
from typing import Any


def crm(service: str, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    if method == "PreAllot":
        numbers = [card["CardNumber"] for card in arguments["Cards"]]
        cards = [{"CardNumber": number, "MemberNumber": f"1-{number[-10:]}"} for number in numbers]
    else:
        cards = [{"CardNumber": number, "CardStatus": "Active", "IsFree": "Y"} for number in arguments["CardNumbers"]]
    return {"ResponseCode": "0", "Cards": cards}
