"""The journey: a card is uploaded, drawn from the pool, proved by SMS, registered, and its owner logs in."""

from loyalty.scopes import Scope
from tests.conftest import MEI, PHONE, Api, Outbox, Printed, csv_file, ended, holding, register


def test_a_card_goes_from_the_file_to_its_owner(api: Api, sms_outbox: Outbox) -> None:
    loader, wechat = holding(api, Scope.WECHAT_LOAD), holding(api, Scope.WECHAT)
    uploaded = loader.form("Wechats/uploadCard", {"fileName": csv_file("msrCard,pin\n6100000000000001,112233\n")})
    assert uploaded.json()["success"] is True
    assert ended(uploaded.json()["batchId"]).imported == 1

    drawn = wechat.get("Wechats/getCard").json()
    assert drawn["msrCard"] == "6100000000000001"
    assert drawn["pin"] == "112233"

    state = api.post("Cards/validate", {"cardNumber": drawn["msrCard"], "pin": drawn["pin"]}).json()
    assert state == {"cardNumber": drawn["msrCard"], "state": "Active", "stateCode": "CardActive"}

    card = Printed(drawn["msrCard"], drawn["pin"], drawn["customerId"])
    created = register(api, card, sms_outbox)
    assert created.json() == {"success": True, "customerId": card.customer_id}
    assert created.headers["x-customer-id"] == card.customer_id

    mei = api.log_in(MEI["email"].lower(), MEI["password"])
    detail = mei.get("Customers/detail").json()
    assert detail["customerId"] == card.customer_id
    assert detail["cellPhone"] == PHONE
    assert detail["cellPhoneVerified"] is True
    cards = mei.get("Customers/cards/list").json()
    assert [(entry["cardNumber"], entry["status"], entry["isLive"]) for entry in cards] == [
        (card.number, "Registered", True)
    ]
    assert [message["template"] for message in sms_outbox.messages()][:1] == ["create-en"]
