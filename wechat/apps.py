from django.apps import AppConfig


class WechatConfig(AppConfig):
    name = "wechat"
    verbose_name = "WeChat card pool"

    def ready(self) -> None:
        from cards import stock
        from loyalty import metrics, relay
        from wechat import (
            batches,
            business_service,  # noqa: F401 (registers itself)
            level,
            pool,
            tasks,
        )

        metrics.SCRAPED.register(level.LevelMetrics())
        stock.offer(pool.claim_replacement)
        relay.source(tasks.import_batch, batches.claim_due, batches.put_back)
