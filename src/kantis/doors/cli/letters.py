"""Options of the commands that send letters to members."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import typer

from kantis.doors.cli.output import Trouble
from kantis.doors.outbound.smtp import MailServer, mail_server

Smtp = Annotated[
    str,
    typer.Option(
        envvar="KANTIS_SMTP_URL",
        help="What sends letters to members: smtp://user:password@mail.shop.example:587.",
    ),
]
MailFrom = Annotated[
    str, typer.Option(envvar="KANTIS_MAIL_FROM", help="Who writes them. Default: the SMTP user.")
]
Address = Annotated[
    str,
    typer.Option(
        envvar="KANTIS_ADDRESS", help="Where members reach the service: https://club.example."
    ),
]


def mail_of(smtp: str, sender: str, address: str) -> MailServer | None:
    """The server that sends letters, if one is named; ``Trouble`` where that cannot work."""
    if not smtp:
        return None
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = (
            "Letters have links. Say with --address or KANTIS_ADDRESS where members reach the "
            "service, as in https://club.example."
        )
        raise Trouble("address-missing", message)
    try:
        return mail_server(smtp, sender)
    except ValueError as error:
        raise Trouble("mail-server", f"This mail server cannot be used. {error}") from error
