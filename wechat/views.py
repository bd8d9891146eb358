from django.conf import settings
from rest_framework.response import Response

from loyalty import errors
from loyalty.access import client
from loyalty.budgets import DAY, HOUR
from loyalty.idempotency import Replays
from loyalty.operations import ApiRequest, OperationViewSet, operation
from loyalty.scopes import Scope
from wechat import batches, legacy, pool
from wechat.serializers import NamedFileForm, PoolCardSerializer, QueuedBatchSerializer, UploadForm, WechatUploadForm


class WechatViewSet(OperationViewSet):
    @operation(
        "GET",
        "Wechats/getCard",
        tag="WeChat",
        access=client(Scope.WECHAT),
        answer=PoolCardSerializer,
        refuses=[errors.NoCardAvailable],
        replays=Replays.TO_KNOWN_CALLERS,
        per_client={"GETCARD_PER_CLIENT_MINUTE": 60, "GETCARD_PER_CLIENT_DAY": DAY},
    )
    def get_card(self, request: ApiRequest) -> Response:
        """Fetch a card from the card pool.

        Each card is handed out once, ever, and its PIN is shown this once. Send an `Idempotency-Key`: without one, a
        card whose answer is lost on the way is lost too.
        """
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
        batch = batches.taken_before()
        if batch is None:
            part = request.FILES.get("fileName")
            if unknown := set(request.FILES) - {"fileName"}:
                raise errors.ValidationError({name: ["A file goes in the part fileName."] for name in unknown})
            file = batches.check_upload(part) if part else batches.check_named(self.form(request)["file_name"])
            self.limit_client(request.caller, UPLOADS_PER_CLIENT_HOUR=HOUR)
            batch = batches.take(file, caller=request.caller)
        return Response({"success": True, "batchId": str(batch.pk)})

    @operation(
        "POST",
        "Wechats/upload",
        tag="WeChat",
        access=client(Scope.WECHAT_LOAD),
        upload=WechatUploadForm,
        answer=QueuedBatchSerializer,
        deprecated=True,
        refuses=[
            errors.WrongFileFormat,
            errors.WrongFileExtension,
            errors.UploadFail,
            errors.UploadNotAuthorized,
            errors.IncorrectDir,
        ],
    )
    def upload(self, request: ApiRequest) -> Response:
        """Upload a card file, and queue its import.

        Replaced by uploadCard.
        """
        if not settings.LEGACY_UPLOAD:
            raise errors.NotFound({"path": ["No such operation."]})
        batch = batches.taken_before()
        if batch is None:
            file = legacy.checked(request)
            self.limit_client(request.caller, UPLOADS_PER_CLIENT_HOUR=HOUR)
            batch = batches.take(file, caller=request.caller)
        return Response({"success": True, "batchId": str(batch.pk)})
