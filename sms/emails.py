"""Sending an e-mail: text and HTML, by Django's own backend."""

import smtplib
import socket

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from loyalty import errors
from sms.gateways import Accepted, Refused, Unknown, Verdict


def send(*, address: str, subject: str, text: str, reference: str) -> Verdict:
    """Send once; never raises for what the outside does. A server that is away may take it later."""
    html = render_to_string("sms/email.html", {"subject": subject, "text": text, "brand": settings.BRAND_NAME})
    email = EmailMultiAlternatives(subject, text, to=[address], headers={"X-Reference": reference})
    email.attach_alternative(html, "text/html")
    try:
        email.send()
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError, ValueError):
        return Refused(errors.SendFailed)
    except (ConnectionRefusedError, socket.gaierror, smtplib.SMTPConnectError, smtplib.SMTPAuthenticationError):
        return Refused(errors.SendFailed, again=True)
    except OSError as error:  # smtplib's other errors are OSErrors too: it may have been sent
        return Unknown(type(error).__name__)
    return Accepted(reference)
