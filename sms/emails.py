"""Sending an e-mail: text and HTML, by Django's own backend."""

import smtplib

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from loyalty import errors
from sms.gateways import Accepted, Refused, Verdict


def send(*, address: str, subject: str, text: str, reference: str) -> Verdict:
    """Send once; never raises for what the outside does. A server that is away may take it later."""
    html = render_to_string("sms/email.html", {"subject": subject, "text": text, "brand": settings.BRAND_NAME})
    email = EmailMultiAlternatives(subject, text, to=[address], headers={"X-Reference": reference})
    email.attach_alternative(html, "text/html")
    try:
        email.send()
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError, ValueError):
        return Refused(errors.SendFailed)
    except OSError:  # smtplib's other errors are OSErrors too
        return Refused(errors.SendFailed, again=True)
    return Accepted(reference)
