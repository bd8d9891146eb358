"""The names of models, fields and choices, and the words of admin pages, in the reader's language.

They are written once, in English, where they belong; the catalogue in locale/ has them in Chinese.
"""

from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib import admin
from django.utils.translation import gettext_lazy


def translate() -> None:
    """Of our own apps; Django has catalogues of its own."""
    ours = [config for config in apps.get_app_configs() if Path(config.path).parent == settings.BASE_DIR]
    for config in ours:
        _name_app(config)
    labels = {config.label for config in ours}
    for model, page in admin.site._registry.items():
        if model._meta.app_label in labels or type(page).__module__.partition(".")[0] in labels:
            _name_page(page)


def _name_app(config: AppConfig) -> None:
    config.verbose_name = _lazy(config.verbose_name)
    for model in config.get_models():
        options: Any = model._meta
        options.verbose_name = _lazy(options.verbose_name)
        options.verbose_name_plural = _lazy(options.verbose_name_plural)
        for field in options.local_fields:
            field.verbose_name = _lazy(field.verbose_name)
            if field.help_text:
                field.help_text = _lazy(field.help_text)
            if field.choices:
                field.choices = [(value, _lazy(label)) for value, label in field.flatchoices]


def _name_page(page: Any) -> None:
    if page.search_help_text:
        page.search_help_text = _lazy(page.search_help_text)
    if page.fieldsets:
        page.fieldsets = [(name and _lazy(name), options) for name, options in page.fieldsets]
    for kind in type(page).__mro__:
        for attribute in vars(kind).values():
            if isinstance(getattr(attribute, "short_description", None), str):
                attribute.short_description = _lazy(attribute.short_description)


def _lazy(text: Any) -> Any:
    return gettext_lazy(str(text))
