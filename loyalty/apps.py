from django.apps import AppConfig


class LoyaltyConfig(AppConfig):
    name = "loyalty"

    def ready(self) -> None:
        from loyalty import checks, diagnostics_service  # noqa: F401 (they register themselves)
