from django.apps import AppConfig


class SmsConfig(AppConfig):
    name = "sms"
    verbose_name = "Messages"

    def ready(self) -> None:
        from loyalty import relay
        from sms import outbox, tasks

        relay.source(tasks.send_message, outbox.claim_due, outbox.put_back)
