"""What is held on a person: to be handed over whole, or erased (PIPL articles 45 and 47, GDPR 15 and 17).

Each app says in its holdings.py which rows those are and what is left of them. What has to be kept for the books stays
under the customer's id, which is random and leads to nobody any more.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from customers import siebel
from customers.models import Erasure
from loyalty import authentication, errors
from loyalty.callers import Caller
from sms.models import Message

_SECRET = {"password", "digest", "pin_digest", "ticket_digest", "answer", "result", "fingerprint"}
_SEALED = {"sms.message": {"text", "variables"}}


@dataclass(frozen=True)
class Person:
    """`recipients`: the phone and the e-mail address on file, and those that he was written to."""

    customer_id: str
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True)
class Holding:
    """Rows of one kind. `erase` deletes them or empties their columns; without it they stay as they are.

    `in_crm`: they are the CRM's, not ours.
    """

    name: str
    rows: Callable[[Person], QuerySet[Any]]
    erase: Callable[[QuerySet[Any]], Any] | None = None
    in_crm: bool = False


_HOLDINGS: list[Holding] = []


def hold(*holdings: Holding) -> None:
    _HOLDINGS.extend(holdings)


def delete(rows: QuerySet[Any]) -> None:
    rows.delete()


def emptying(*columns: str) -> Callable[[QuerySet[Any]], Any]:
    """Leave the rows, without these texts."""
    return lambda rows: rows.update(**dict.fromkeys(columns, ""))


def export(*, customer_id: str) -> dict[str, Any]:
    """Everything that is held on a customer, secrets left out, for JSON. Raises InvalidMemberID for an unknown one."""
    in_crm = siebel.export(customer_id=customer_id)
    ours = held(_person(in_crm, customer_id), in_crm=False)
    return {"customerId": customer_id, "exportedAt": timezone.now().isoformat(), **in_crm, **ours}


def erase(*, reason: str, caller: Caller) -> Erasure:
    """Erase `caller.customer_id`, an open account too. Answers the proof, which names no person.

    May be repeated where it was interrupted. Raises InvalidMemberID for an unknown customer.
    """
    customer_id = caller.customer_id
    person = _person(siebel.export(customer_id=customer_id), customer_id)
    authentication.revoke_tokens(customer_id)
    with transaction.atomic():
        ours = erase_held(person, in_crm=False)
    in_crm = siebel.erase(customer_id=customer_id, caller=caller)
    authentication.revoke_tokens(customer_id)
    with transaction.atomic():
        erase_held(person, in_crm=False)  # what came while the account was still open
    return Erasure.objects.create(
        customer_id=customer_id,
        reason=reason,
        actor=caller.actor,
        request_id=caller.request_id,
        rows={**in_crm, **ours},
    )


def held(person: Person, *, in_crm: bool) -> dict[str, Any]:
    """The rows of each holding."""
    found = {holding.name: _shown(holding.rows(person)) for holding in _HOLDINGS if holding.in_crm == in_crm}
    return json.loads(json.dumps(found, cls=DjangoJSONEncoder))  # type: ignore[no-any-return]


def erase_held(person: Person, *, in_crm: bool) -> dict[str, int]:
    """Erase each holding, the last one first; answers how many rows that were."""
    erased = {}
    for holding in reversed(_HOLDINGS):
        if holding.in_crm == in_crm and holding.erase:
            rows = holding.rows(person)
            erased[holding.name] = rows.count()
            holding.erase(rows)
    return erased


def _shown(rows: QuerySet[Any]) -> list[dict[str, Any]]:
    hidden = _SECRET | _SEALED.get(rows.model._meta.label_lower, set())
    columns = [field.attname for field in rows.model._meta.concrete_fields if field.attname not in hidden]
    return list(rows.values(*columns))


def _person(in_crm: dict[str, Any], customer_id: str) -> Person:
    if not in_crm["profile"]:
        raise errors.InvalidMemberID
    profile = in_crm["profile"][0]
    told = Message.objects.filter(customer_id=customer_id).values_list("recipient", flat=True)
    return Person(customer_id, tuple({*filter(None, (profile["cell_phone"], profile["email"])), *told.distinct()}))
