"""The admin in Chinese: nothing of its own is left in English."""

import gettext
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from tests.test_admin import REGISTERED, page, rows  # noqa: F401 (rows is a fixture)

FOLDER = Path(settings.BASE_DIR) / "staff/locale/zh_Hans/LC_MESSAGES"
SAME_IN_BOTH = {"English", "简体中文", "sha256", "PIN", "pin"}
OURS = {config.label for config in apps.get_app_configs() if Path(config.path).parent == settings.BASE_DIR} - {"demo"}
# What stands in `rows` and in Django's own data, and what has no other name in Chinese.
DATA = """Nanjing Road Mini-program cards.csv Shanghai chief mei.li example.com create-en Tea Loyalty API SMS PIN Siebel
wechat CNY Control Command Mac Not JSON The PIN is missing AMS customers partner ops orders CHS ENU receipt template
code minutes HTTP sms/verify client register wechat-load"""
LABEL = r"""<(?:th scope="col"|label|button|h2 [^>]*fieldset-heading)[^>]*>(.*?)</(?:th|label|button|h2)>"""


def shown_in_chinese() -> list[str]:
    """All that models and pages have names for, as Chinese readers see it."""
    found: list[Any] = []
    for model in apps.get_models():
        if model._meta.app_label in OURS:
            options = model._meta
            found += [options.verbose_name, options.verbose_name_plural, options.app_config.verbose_name]
            for field in options.concrete_fields:
                found += [field.verbose_name, field.help_text, *(label for _, label in field.flatchoices or ())]
            found += [translation.gettext(str(name)) for _, name in options.permissions]
    for model, site_page in admin.site._registry.items():
        if model._meta.app_label in OURS:
            found += [site_page.search_help_text or "", *(name or "" for name, _ in site_page.fieldsets or ())]
            described = (getattr(type(site_page), name, None) for name in dir(type(site_page)))
            found += [getattr(item, "short_description", "") for item in described]
    return [str(text) for text in found if text]


def test_every_name_is_in_the_catalogue() -> None:
    with translation.override("zh-hans"):
        left = {text for text in shown_in_chinese() if re.fullmatch(r"[\x00-\x7f…“”]*[a-z]{2}[\x00-\x7f…“”]*", text)}
    assert left - SAME_IN_BOTH == set()


def test_every_text_of_ours_is_in_the_catalogue() -> None:
    catalogue = gettext.GNUTranslations((FOLDER / "django.mo").open("rb"))
    django = {Path(admin.__file__).parent, Path(admin.__file__).parent.parent / "auth"}
    theirs = [
        gettext.GNUTranslations(file.open("rb")) for app in django for file in app.glob("locale/zh_Hans/*/django.mo")
    ]
    pattern = r"""(?:gettext|\b_)\(\s*"([^"]*)"(?!\s*")|{% translate (?:"([^"]*)"|'([^']*)')"""
    texts = set()
    for label in OURS:
        for path in [*Path(settings.BASE_DIR, label).rglob("*.py"), *Path(settings.BASE_DIR, label).rglob("*.html")]:
            texts |= {"".join(found) for found in re.findall(pattern, path.read_text())}
    missing = {text for text in texts if all(known.gettext(text) == text for known in (catalogue, *theirs))}
    assert missing - SAME_IN_BOTH == set()


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    entries = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', (FOLDER / "django.po").read_text(), re.MULTILINE)
    assert len(entries) > 500
    assert [
        text for text, chinese in entries if compiled.gettext(text.replace('\\"', '"')) != chinese.replace('\\"', '"')
    ] == []


@pytest.mark.parametrize("model", [model for model in REGISTERED if model._meta.app_label != "auth"], ids=str)
def test_labels_on_pages_are_chinese(model: Any, rows: SimpleNamespace) -> None:  # noqa: F811
    client = Client(headers={"accept-language": "zh-CN"})
    client.force_login(User.objects.create_superuser("chief"))
    row = model._default_manager.first()
    urls = [page(model)] + ([page(model, "change", row.pk)] if row and model.__name__ != "Budget" else [])
    for url in urls:
        text = client.get(url).content.decode()
        labels = re.findall(LABEL, text, re.DOTALL)
        words = set(re.findall(r"[A-Za-z][A-Za-z./-]{2,}", re.sub(r"<[^>]+>|&\w+;", " ", " ".join(labels))))
        assert {word for word in words if word not in DATA and not word.startswith("lk_")} == set(), url
