"""The embedded CRM's side of outcomes: the business service "Loyalty Request"."""

from loyalty.business_services import business_service, outcome_of
from loyalty.siebel import Reply


@business_service("Loyalty Request", "GetOutcome")
def get_outcome(*, of_request_id: str) -> Reply:
    """Whether a write was done, with its reply then. One that was not done by now is given up: it never will be."""
    reply = outcome_of(of_request_id)
    return {"Outcome": "NotDone"} if reply is None else {"Outcome": "Done", "Reply": [reply]}
