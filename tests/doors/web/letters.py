"""A real mail server that keeps what it is given, and looks for a letter to come."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

WAIT_S = 20


class Letters(Message):
    """Letters that came, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.came: list[EmailMessage] = []

    def prepare_message(self, session: object, envelope: object) -> EmailMessage:  # type: ignore[override]
        return BytesParser(EmailMessage, policy=default).parsebytes(envelope.content)  # type: ignore[attr-defined,no-any-return]

    def handle_message(self, message: EmailMessage) -> None:  # type: ignore[override]
        self.came.append(message)

    def to(self, address: str, count: int = 1) -> EmailMessage:
        """The letter to an address that makes so many of them, once it is there."""
        end = time.monotonic() + WAIT_S
        while len(found := [each for each in self.came if each["to"] == address]) < count:
            assert time.monotonic() < end, f"{len(found)} letters came to {address}"
            time.sleep(0.05)
        return found[count - 1]


def link(message: EmailMessage) -> str:
    """The link that stands in a letter, without the address of the service."""
    found = re.search(r"/open/\S+", message.get_content())
    assert found is not None
    return found[0]


def lock(message: EmailMessage) -> str:
    """The link of a warning, by which a card is locked."""
    found = re.search(r"/lock/\S+", message.get_content())
    assert found is not None
    return found[0]


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def mail_server() -> Iterator[tuple[Letters, str]]:
    """A server, and the URL of it."""
    letters, port = Letters(), free_port()
    controller = Controller(letters, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield letters, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()
