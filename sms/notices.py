"""Notices: messages that tell a customer what has happened. None of them may undo it, so none of them raises."""

from dataclasses import dataclass

import structlog

from sms import limits, outbox
from sms.models import Channel

log = structlog.get_logger()


@dataclass(frozen=True)
class Reader:
    """Who is told, in which language (CHS or ENU), and where: by SMS, by e-mail, or both."""

    customer_id: str
    language: str
    cell_phone: str = ""
    email: str = ""


def suffix(language: str) -> str:
    """How the template keys of a language end."""
    return "cn" if language == "CHS" else "en"


def tell(reader: Reader, notice: str, *, request_id: str, **values: object) -> None:
    """Queue the template `notice` in the reader's language on each of his channels; `values` fill it."""
    for channel, recipient in ((Channel.SMS, reader.cell_phone), (Channel.EMAIL, reader.email)):
        if not recipient:
            continue
        try:
            limits.count_notice(channel, recipient)
            outbox.queue(
                channel=channel,
                recipient=recipient,
                customer_id=reader.customer_id,
                template=f"{notice}-{suffix(reader.language)}",
                request_id=request_id,
                **values,  # type: ignore[arg-type]
            )
        except Exception as error:
            log.error("notice_not_queued", notice=notice, channel=channel, kind=type(error).__qualname__)
