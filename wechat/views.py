from django.conf import settings
from rest_framework.response import Response

from loyalty import errors, rates
from loyalty.access import client
from loyalty.budgets import DAY, HOUR, scaled
from loyalty.operations import ApiRequest, OperationViewSet, operation
from loyalty.scopes import Scope
from wechat import batches, pool
from wechat.serializers import NamedFileForm, PoolCardSerializer, QueuedBatchSerializer, UploadForm


class WechatViewSet(OperationViewSet):
    @operation(
        "GET",
        "Wechats/getCard",
        tag="WeChat",
        access=client(Scope.WECHAT),
        answer=PoolCardSerializer,
        refuses=[errors.NoCardAvailable],
    )
    def get_card(self, request: ApiRequest) -> Response:
        """Fetch a card from the card pool.

        Each card is handed out once, ever, and its PIN is shown this once.
        """
        _limit_per_client(
            request,
            ("getcard-minute", scaled(settings.GETCARD_PER_CLIENT_MINUTE), 60),
            ("getcard-day", scaled(settings.GETCARD_PER_CLIENT_DAY), DAY),
        )
        return Response(PoolCardSerializer(pool.draw(caller=request.caller)).data)

    @operation(
        "POST",
        "Wechats/uploadCard",
        tag="WeChat",
        access=client(Scope.WECHAT_LOAD),
        form=NamedFileForm,
        upload=UploadForm,
        answer=QueuedBatchSerializer,
        refuses=[
            errors.WrongExcelHeader,
            errors.WrongFileExtension,
            errors.DirOrFileNotFound,
            errors.CardFilesUnavailable,
            errors.CardFilesNotTrusted,
        ],
    )
    def upload_card(self, request: ApiRequest) -> Response:
        """Upload a card file, or name one on the file server, and queue its import.

        CSV in UTF-8 with the header `msrCard,pin`, then optionally `customerId` and `endDate`. The batch shows in the
        admin with its progress and each rejected line.
        """
        part = request.FILES.get("fileName")
        file = batches.check_upload(part) if part else batches.check_named(self.form(request)["file_name"])
        _limit_per_client(request, ("uploads-hour", scaled(settings.UPLOADS_PER_CLIENT_HOUR), HOUR))
        batch = batches.take(file, caller=request.caller)
        return Response({"success": True, "batchId": str(batch.pk)})


def _limit_per_client(request: ApiRequest, *windows: tuple[str, int, int]) -> None:
    holder = request.caller.client
    rates.hit(str(holder.pk if holder else ""), windows)
