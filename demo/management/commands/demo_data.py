import io
import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from demo import people
from loyalty import authentication
from loyalty.callers import Caller
from loyalty.models import ApiClient
from loyalty.scopes import Scope
from wechat import batches, card_files, imports
from wechat.models import Batch

SAMPLE = Path(__file__).resolve().parents[2] / "data" / card_files.DEFAULT_NAME


class Command(BaseCommand):
    help = "Create what a newcomer needs to try everything, once, and say in var/demo.json what that is."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Demo data is never made in production.")
        target = settings.VAR_DIR / "demo.json"
        part = target.with_suffix(".part")
        staffed = get_user_model().objects.exists()
        if not staffed:
            target.unlink(missing_ok=True)  # of a database that is gone
            with transaction.atomic():
                _write(part, self._rows())
        elif not target.exists() and not part.exists():
            self.stdout.write("This database is in use already; no demo data was made.")
            return
        if not Batch.objects.exists():
            _fill_pool()
        made = json.loads((target if target.exists() else part).read_text())
        _write(part, {**made, **_places()})
        part.rename(target)

    def _rows(self) -> dict[str, Any]:
        staff = {"username": "staff", "password": secrets.token_urlsafe(12)}
        get_user_model().objects.create_superuser(**staff)
        client = ApiClient.objects.create(
            name="Demo client",
            scopes=Scope.values,
            networks=["127.0.0.0/8", "::1/128"],
            source_codes=["*"],
            partner_codes=["*"],
        )
        stores = people.stores()
        phone = people.phones()
        customer, person = people.new_customer("Mei", cell_phone=phone())
        people.purchases(customer)
        shared = phone()
        return {
            "base_url": settings.BASE_URL,
            "staff": staff,
            "api_key": authentication.issue_key(client)[1],
            **_places(),
            "stores": stores,
            "cards": people.cards_of_every_status(customer),
            "customer": person,
            "customers": {
                "EmailInactive": people.new_customer("Ema", cell_phone=phone(), email_activation_due=True)[1],
                "PhoneUnverified": people.new_customer("Fang", cell_phone=phone(), cell_phone_verified=False)[1],
                "PhoneUnverified2": people.new_customer("Gao", cell_phone=phone(), cell_phone_verified=False)[1],
                "TwoOnOnePhone": [people.new_customer(name, cell_phone=shared)[1] for name in ("Hua", "Jia")],
            },
        }


def _places() -> dict[str, str]:
    """Where things are; renewed at each start, since folders move and ports change."""
    Path(settings.EMAIL_FILE_PATH).mkdir(parents=True, exist_ok=True)
    return {
        "base_url": settings.BASE_URL,
        "sms_outbox": str(settings.SMS_OUTBOX_FILE),
        "mail_outbox": settings.EMAIL_FILE_PATH,
        "card_files": str(settings.CARD_FILES_DIR),
    }


def _fill_pool() -> None:
    """The sample file, imported as any other is, but at once."""
    card_files.chosen().put(SAMPLE.name, io.BytesIO(SAMPLE.read_bytes()), alive=lambda: None)
    batch = batches.take(batches.check_named(SAMPLE.name), caller=Caller(address="", request_id="demo"))
    imports.run(batch.pk)


def _write(path: Path, made: dict[str, Any]) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(made, file, indent=2, ensure_ascii=False)
        file.write("\n")
