from django.apps import AppConfig


class LoyaltyConfig(AppConfig):
    name = "loyalty"

    def ready(self) -> None:
        from loyalty import diagnostics_service, outcome_service  # noqa: F401 (they register themselves)
