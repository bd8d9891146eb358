"""Finding customers by what staff know of them, each column by its index."""

from django.db.models import Q

from cards.models import Card
from customers.models import Member, login_key


def matching(term: str) -> Q:
    """A customer id, cell phone, user name, e-mail address or card number, whole; a name or its beginning."""
    key = login_key(term)
    found = Q(customer_id=term) | Q(cell_phone=term) | Q(user_name_key=key) | Q(email_key=key)
    holders = list(Card.objects.filter(number=term, customer__isnull=False).values_list("customer_id", flat=True))
    return found | Q(pk__in=holders) | _named(term)


def _named(term: str) -> Q:
    """`Li`, `Mei Li`, `Li Mei`, 李梅: the last name may be begun only, and a Chinese one is a letter or two."""
    words = term.split()
    if len(words) == 2:
        one, two = words
        return Q(last_name=two, first_name=one) | Q(last_name=one, first_name=two)
    found = Q(last_name__startswith=term)
    if 2 <= len(term) <= 4 and not term.isascii():
        for length in (1, 2):
            found |= Q(last_name=term[:length], first_name=term[length:])
    return found


def only(term: str) -> Member | None:
    """The one customer whom it names, if it is one."""
    found = list(Member.objects.filter(matching(term))[:2]) if term else []
    return found[0] if len(found) == 1 else None
