"""E-mails: what they look like, and what becomes of them when the mail server is away."""

import socket
import threading
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings

from sms import delivery, outbox
from sms.models import Channel, Message, Template
from tests.environment import free_port

TO = "mei@example.com"


def queued(template: str = "reset-en", **values: Any) -> Message:
    return outbox.queue(channel=Channel.EMAIL, recipient=TO, template=template, **{"minutes": 60, **values})


def delivered(message: Message) -> Message:
    delivery.deliver(message.pk)
    message.refresh_from_db()
    return message


@pytest.mark.parametrize(("language", "subject"), [("en", "Reset your Loyalty password"), ("cn", "重置 Loyalty 密码")])
def test_a_letter_has_a_text_and_the_same_as_html(database: None, language: str, subject: str) -> None:
    link = "https://shop.example/reset?token=abc&x=1"
    assert delivered(queued(f"reset-{language}", link=link)).state == "sent"
    (letter,) = mail.outbox
    assert isinstance(letter, EmailMultiAlternatives)
    assert (letter.subject, letter.to) == (subject, [TO])
    assert link in str(letter.body)
    html = str(letter.alternatives[0][0])
    assert f'href="{link.replace("&", "&amp;")}"' in html
    assert 'charset="utf-8"' in html


def test_what_stands_in_a_text_is_no_html(database: None) -> None:
    Template.objects.filter(key="reset-en", channel="email").update(text="<b>{link}</b>")
    delivered(queued(link="<script>"))
    (letter,) = mail.outbox
    assert isinstance(letter, EmailMultiAlternatives)
    assert "<script>" not in str(letter.alternatives[0][0])
    assert "<b>" not in str(letter.alternatives[0][0])


@pytest.fixture
def smtp(database: None, settings: Settings) -> int:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 2
    settings.EMAIL_PORT = free_port()
    return int(settings.EMAIL_PORT)


def test_while_the_mail_server_is_away_it_waits(smtp: int) -> None:
    message = delivered(queued(link="https://shop.example"))
    assert (message.state, message.attempts) == ("queued", 1)
    assert message.text


def test_what_may_have_been_sent_is_not_sent_again(smtp: int) -> None:
    """A server that takes the whole letter and dies without a word."""
    answers = [b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"]

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 here\r\n")
            for answer in answers:
                lines.readline()
                connection.sendall(answer)
            while lines.readline() not in (b".\r\n", b""):
                pass

    with socket.create_server(("127.0.0.1", smtp)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        message = delivered(queued(link="https://shop.example"))
        server.join(5)
    assert (message.state, message.text) == ("unknown", "")
