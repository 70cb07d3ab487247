"""SMTP: how a letter leaves the house.

Guarantee: what goes wrong is told without the address and without the text of the letter.
"""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib
from msgspec import Struct

_TIMEOUT_S: Final = 20
_PORTS: Final = {"smtp": 587, "smtps": 465}


class MailFailed(Exception):
    """A letter did not leave; it says why, and nothing of whom it was for."""


class MailServer(Struct, frozen=True):
    """A server that sends mail: who it is, who we are there, and who writes."""

    host: str
    port: int
    user: str
    password: str
    tls: bool
    sender: str

    def send(self, message: EmailMessage) -> None:
        """Hand a letter over; ``MailFailed`` when the server does not take it."""
        try:
            asyncio.run(
                aiosmtplib.send(
                    message,
                    hostname=self.host,
                    port=self.port,
                    username=self.user or None,
                    password=self.password or None,
                    use_tls=self.tls,
                    timeout=_TIMEOUT_S,
                )
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            code = getattr(error, "code", "")
            said = f"{type(error).__name__} {code}".strip()
            raise MailFailed(f"The mail server did not take a letter: {said}.") from None


def mail_server(url: str, sender: str) -> MailServer:
    """The server of a URL; ``ValueError`` says what is wrong with it.

    TLS begins with the connection for ``smtps``, and as soon as the server offers it for
    ``smtp``.

    >>> found = mail_server("smtp://club%40shop.example:secret@mail.shop.example", "")
    >>> found.host, found.port, found.user, found.sender
    ('mail.shop.example', 587, 'club@shop.example', 'club@shop.example')
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("It is written smtp://user:password@mail.shop.example:587.")
    user = unquote(parts.username or "")
    writer = sender or (user if "@" in user else "")
    if "@" not in writer or not writer.isprintable():
        raise ValueError("Say with --mail-from or KANTIS_MAIL_FROM who writes.")
    try:
        port, tls = parts.port or _PORTS[parts.scheme], parts.scheme == "smtps"
    except ValueError:  # its own words would show a part of the password
        raise ValueError(
            "The port is no number, or a sign in the password is not %-coded."
        ) from None
    return MailServer(parts.hostname, port, user, unquote(parts.password or ""), tls, writer)
