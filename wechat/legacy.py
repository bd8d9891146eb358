"""Wechats/upload, which uploadCard replaces: the same upload, with the codes of the first days."""

from rest_framework.request import Request

from loyalty import errors
from wechat import batches, card_files
from wechat.batches import Checked

PART = "wechatFile"


def checked(request: Request) -> Checked:
    """The file of the request, which the file server must let us keep.

    Raises UploadFail (none, or one that is empty), WrongFileExtension, WrongFileFormat, IncorrectDir, and
    UploadNotAuthorized.
    """
    try:
        part = request.FILES.get(PART)
        if part is None or not part.size:
            raise errors.UploadFail
        file = batches.check_upload(part)
        card_files.chosen().inbox()  # whether it lets us in at all
    except errors.WrongExcelHeader:
        raise errors.WrongFileFormat from None
    except errors.DirOrFileNotFound:
        raise errors.IncorrectDir from None
    except errors.CardFilesNotTrusted:
        raise errors.UploadNotAuthorized from None
    return file
