"""The catalogue of refusals: every code a client may meet. Codes and reasons never change once published.

`code`, `reason` and `message` are the seed's; `status` is the HTTP status; `name` is left empty where it depends on the
operation (SiebelRequestError or SMSRequestError, see operations.py).
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any


class Refusal(Exception):
    """Raised by any function that says no; rendered by exception_handler.py alone."""

    code: int
    reason: str
    message: str
    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    name: str = ""
    waits: float | None = None  # seconds that `Retry-After` names where nothing better is known

    def __init__(self, *, retry_after: float | None = None, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(self.reason)
        self.retry_after = self.waits if retry_after is None else retry_after
        self.extra = dict(extra or {})


# Cards


class CardAlreadyLostOrStolen(Refusal):
    code, reason, message = 102, "CardAlreadyLostOrStolen", "The card is already flagged as lost or stolen."


class CardRegisteredWithAnotherCustomer(Refusal):
    code, reason = 103, "CardRegisteredWithAnotherCustomer"
    message = "The card has been registered with another member."


class CardNotFound(Refusal):
    code, reason, message = 104, "CardNotFound", "The card is not found."


class IncorrectPin(Refusal):
    code, reason, message = 105, "IncorrectPin", "The CardPassword is not correct."


class CardAlreadyRegistered(Refusal):
    code, reason, message = 106, "CardAlreadyRegistered", "The card has been registered."


class CardNotActive(Refusal):
    code, reason, message = 108, "CardNotActive", "The card status is not Active."


class CardInTransit(Refusal):
    code, reason, message = 111, "CardInTransit", "The card status is InTransit."


class CardNotDormant(Refusal):
    code, reason, message = 113, "CardNotDormant", "The card status is not Dormant."


class CardInactive(Refusal):
    code, reason, message = 3006, "CardInactive", "The card status is Inactive."


class CardExpired(Refusal):
    code, reason, message = 3008, "CardExpired", "The card is Active, but its end date has passed."


class CardNotRegisteredOrDormant(Refusal):
    code, reason, message = 3012, "CardNotRegisteredOrDormant", "The card status is not Registered or Dormant."


class CardReturnedOrAbolished(Refusal):
    code, reason, message = 3015, "CardReturnedOrAbolished", "The card status is Returned or Abolished."


# Members


class EmailRegisteredActive(Refusal):
    code, reason, message = 201, "EmailRegisteredActive", "Email is in use by a registered customer."


class EmailRegisteredInactive(Refusal):
    code, reason, message = 202, "EmailRegisteredInactive", "Email is in use by a closed customer."


class EmailInUse(Refusal):
    code, reason, message = 204, "EmailInUse", "Email is in use by another member."


class InvalidStore(Refusal):
    code, reason, message = 301, "InvalidStore", "The store does not exist or its status is closed."


class InvalidMemberID(Refusal):
    code, reason = 402, "InvalidMemberID"
    message = "The member does not exist or the member is not a registered active member."


class InvalidAddressId(Refusal):
    code, reason, message = 3005, "InvalidAddressId", "The address for the AddressId does not exist."


class InvalidEmailAndPassword(Refusal):
    code, reason, message = 403, "InvalidEmailAndPassword", "The UserName/Email or Password is invalid."


class MemberNotActive(Refusal):
    code, reason, message = 3010, "MemberNotActive", "The member status of the card is not Active."


class MemberNotOpen(Refusal):
    code, reason, message = 3009, "MemberNotOpen", "The member status of the card is not Open."


class UserNameInUse(Refusal):
    code, reason, message = 3011, "UserNameInUse", "The UserName is in use by another member."


class NeedEmailActiveMember(Refusal):
    code, reason, message = 3016, "NeedEmailActiveMember", "The member must first be activated by e-mail."


class RefuseLoginDueUnverifiedMobile(Refusal):
    code, reason = 3099, "RefuseLoginDueUnverifiedMobile"
    message = "Login is refused because the cell phone is not verified."


class PasswordNotStrong(Refusal):
    code, reason, message = -4, "PASSWORD_NOT_STRONG", "Password not strong enough."


class EmailsDontMatch(Refusal):
    code, reason = -5, "EMAILS_DONT_MATCH"
    message = "The e-mail address or cell phone has changed since it was proved."


class MemberNotFound(Refusal):
    code, reason, message = -11, "MEMBER_NOT_FOUND_ERROR", "Member not found with email or customerId."


class EmailNotFound(Refusal):
    code, reason, message = 3013, "EmailNotFound", "Email not found."


class IncorrectUserPassword(Refusal):
    code, reason, message = 3014, "IncorrectUserPassword", "The UserPassword is Incorrect."


class TokenAlreadyUsed(Refusal):
    code, reason, message = -400, "TOKEN_ALREADY_USED", "Token has already been used."


class TokenInvalid(Refusal):
    code, reason, message = -401, "TOKEN_INVALID", "Token is invalid or expired."


class ValidationNotMatch(Refusal):
    code, reason, message = -402, "ValidationNotMatch", "Validation not matched for email or Phone token."


class UnexpectedError(Refusal):
    code, reason, message = 5000, "UnexpectedError", "Email Format Error."


# Messages and PINs


class PhoneNotValid(Refusal):
    code, reason, message = -6, "PhoneNotValid", "Phone number not valid."


class TemplateNotValid(Refusal):
    code, reason, message = -7, "TemplateNotValid", "Template not valid."


class WrongAccessKey(Refusal):
    code, reason, message = 10001, "WrongAccessKey", "AccessKey is wrong."


class MissingParams(Refusal):
    code, reason, message = 10002, "MissingParams", "Parameters may be missing."


class WrongSign(Refusal):
    code, reason, message = 10003, "WrongSign", "Signature is wrong."


class WrongParams(Refusal):
    code, reason, message = 10004, "WrongParams", "Parameters may be wrong."


class WrongCaptcha(Refusal):
    code, reason, message = 10005, "WrongCaptcha", "Captcha may be wrong."


class FrequentSend(Refusal):
    waits = 60
    code, reason, message = 20001, "FrequentSend", "Send SMS too frequent."


class SendFailed(Refusal):
    code, reason, message = 20002, "SendFailed", "Send SMS failed."


class MissingNo(Refusal):
    code, reason, message = 20003, "MissingNo", "Phone number is missing."


class MissingMsg(Refusal):
    code, reason, message = 20004, "MissingMsg", "Message text is missing."


class MissingCaptcha(Refusal):
    code, reason, message = 20005, "MissingCaptcha", "Captcha is missing."


class CaptchaRequired(Refusal):
    code, reason, message = 20006, "CaptchaRequired", "Captcha is required."
    status = HTTPStatus.LOCKED


class FrequentVerify(Refusal):
    waits = 60
    code, reason, message = 20009, "FrequentVerify", "Verify too frequent."


class FrequentVerifyOfOld(Refusal):
    """What sms/verify says for FrequentVerify: the seed gave that operation another code."""

    waits = 60
    code, reason, message = 20006, "FrequentVerify", "Verify too frequent."


class RegisterSMSTooFrenquently(Refusal):
    waits = 60
    code, reason = 40001, "RegisterSMSTooFrenquently"
    message = "Too frequently for sending message to the same card or mobile."


class MultiAccountBoundToOnePhone(Refusal):
    code, reason = 40002, "MultiAccountBoundToOnePhone"
    message = "More than one customer accounts bound to one phone."


class NeedLoginFirstBeforeVerifyMobile(Refusal):
    code, reason = 40003, "NeedLoginFirstBeforeVerifyMobile"
    message = "Need user login first before verify mobile or send mobile."


# Orders, stars, partners


class OrderNotFound(Refusal):
    code, reason, message = 3201, "OrderNotFound", "The order does not exist or is another customer's."


class DuplicateReceipt(Refusal):
    code, reason = 3101, "DuplicateReceipt"
    message = "The receipt number is known with other content."


class StarBalanceOutOfRange(Refusal):
    code, reason = 3102, "StarBalanceOutOfRange"
    message = "The star balance would fall below zero or rise above its limit."


# The card pool


class NoCardAvailable(Refusal):
    code, reason, message = 4001, "NoCardAvailable", "No card available."


class WrongExcelHeader(Refusal):
    code, reason, message = 4002, "WrongExcelHeader", "Wrong Excel header."


class WrongFileExtension(Refusal):
    code, reason, message = 4003, "WrongFileExtension", "File extension incorrect."


class WrongFileFormat(Refusal):
    code, reason, message = 4002, "WrongFileFormat", "File format incorrect."


class UploadFail(Refusal):
    code, reason, message = 4004, "UploadFail", "The upload failed due to a wrong attachment."


class IncorrectDir(Refusal):
    code, reason, message = 403, "incorrectDir", "Wrong upload URL."


class UploadNotAuthorized(Refusal):
    """The file server does not let us in."""

    code, reason, name = 401, "authorizationError", "AuthorizationError"
    message = "Authorization required."


class DirOrFileNotFound(Refusal):
    code, reason, message = 4007, "DirOrFileNotFound", "Directory or file not found."


# The request itself


class ValidationError(Refusal):
    """`details` maps each field, or `body`, `path`, `method`, to a list of messages."""

    code, reason, name = 422, "ValidationError", "ValidationError"
    message = "The request is not valid."

    def __init__(self, details: Mapping[str, list[str]]) -> None:
        super().__init__(extra={"details": dict(details)})


class NotFound(ValidationError):
    code, reason, status = 404, "NotFound", HTTPStatus.NOT_FOUND
    message = "There is no such resource."


class MethodNotAllowed(ValidationError):
    code, reason, status = 405, "MethodNotAllowed", HTTPStatus.METHOD_NOT_ALLOWED
    message = "This resource does not answer this method."


class NotAcceptable(ValidationError):
    code, reason, status = 406, "NotAcceptable", HTTPStatus.NOT_ACCEPTABLE
    message = "This resource does not speak what `Accept` asks for."


class PayloadTooLarge(ValidationError):
    code, reason, status = 413, "PayloadTooLarge", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    message = "The body is too large."


class UnsupportedMediaType(ValidationError):
    code, reason, status = 415, "UnsupportedMediaType", HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    message = "The body is neither JSON, urlencoded nor multipart."


class IdempotencyKeyReused(ValidationError):
    code, reason = 4220, "IdempotencyKeyReused"
    message = "This Idempotency-Key came with another request before."


class RequestInProgress(ValidationError):
    waits = 1
    code, reason, status = 4090, "RequestInProgress", HTTPStatus.CONFLICT
    message = "A request with this Idempotency-Key is being worked on."

    def __init__(self) -> None:
        super().__init__({"Idempotency-Key": ["Ask again in a moment."]})


class AuthorizationError(Refusal):
    code, reason, name, status = 401, "authorizationError", "AuthorizationError", HTTPStatus.UNAUTHORIZED
    message = "Authorization required."


class AccessDenied(Refusal):
    code, reason, name, status = 403, "accessDenied", "AuthorizationError", HTTPStatus.FORBIDDEN
    message = "This credential does not allow that."


class TooManyRequests(Refusal):
    waits = 1
    code, reason, name, status = 429, "TooManyRequests", "RateLimitError", HTTPStatus.TOO_MANY_REQUESTS
    message = "Too many requests."


# This service and the systems behind it


class InternalError(Refusal):
    code, reason, name, status = 500, "InternalError", "ServerError", HTTPStatus.INTERNAL_SERVER_ERROR
    message = "Something went wrong here. The request id finds it in our log."


class SiebelUnavailable(Refusal):
    waits = 5
    code, reason, name, status = 5030, "SiebelUnavailable", "ServerError", HTTPStatus.SERVICE_UNAVAILABLE
    message = "The customer system is not available."


class SiebelTimeout(Refusal):
    code, reason, name, status = 5040, "SiebelTimeout", "ServerError", HTTPStatus.GATEWAY_TIMEOUT
    message = "The customer system did not answer in time."


class CardFilesUnavailable(Refusal):
    waits = 30
    code, reason, name, status = 5031, "CardFilesUnavailable", "ServerError", HTTPStatus.SERVICE_UNAVAILABLE
    message = "The file server is not available."


class CardFilesNotTrusted(Refusal):
    waits = 30
    code, reason, name, status = 5032, "CardFilesNotTrusted", "ServerError", HTTPStatus.SERVICE_UNAVAILABLE
    message = "The file server's host key is not the pinned one."


def _all(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for refusal in kind.__subclasses__():
        yield refusal
        yield from _all(refusal)


CATALOGUE = tuple(_all(Refusal))
# What Siebel or the gateway may name; of two with one code the first. Ours have a name and are left out: 403 is both.
BY_CODE = {refusal.code: refusal for refusal in reversed(CATALOGUE) if not refusal.name} | {429: TooManyRequests}
