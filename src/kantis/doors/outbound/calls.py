"""Calls: one signed message to one address, and what came back.

Guarantee: a call ends after its time, whatever the other side does; it follows no redirect,
reads no more of the answer than is kept, and goes through no proxy. It is signed as
Standard Webhooks say, with each secret that is valid.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from typing import Final

import httpx
from msgspec import Struct
from standardwebhooks import Webhook

from kantis import __version__
from kantis.doors.outbound.addresses import Unreachable, address_of

TIMEOUT_S: Final = 15.0
#: So much of an answer is kept.
ANSWER_BYTES_MAX: Final = 1_000
MEDIA: Final = "application/cloudevents+json; charset=utf-8"


class Answer(Struct, frozen=True):
    """What came back. ``status`` 0: nothing did; ``outcome`` says in a word what became of it."""

    status: int
    outcome: str
    answer: str


def signed(message: str, at: int, body: bytes, secrets: list[bytes]) -> dict[str, str]:
    """The headers of a message that is sent at a second since 1970."""
    moment = dt.datetime.fromtimestamp(at, dt.UTC)
    text = body.decode()
    signatures = [Webhook(secret).sign(message, moment, text) for secret in secrets]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signatures),
    }


class Caller:
    """Calls webhooks; made in the event loop that uses it. ``lan`` allows any address."""

    def __init__(self, *, lan: bool = False, timeout_s: float = TIMEOUT_S) -> None:
        self._lan, self._timeout_s = lan, timeout_s
        self._tls: ssl.SSLContext = httpx.create_ssl_context()

    async def call(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """Send a message; never raises for what the other side does."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._call(url, headers, body)
        except TimeoutError:
            return Answer(0, "timeout", f"No answer within {self._timeout_s:g} seconds.")
        except Unreachable as error:
            return Answer(0, "address", f"{error}.")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Answer(0, "unreachable", f"{type(error).__name__}: {error}")

    async def _call(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        target = httpx.URL(url)
        if target.scheme != "https" and not self._lan:
            raise Unreachable("Only https is called")
        port = target.port or (443 if target.scheme == "https" else 80)
        address = await address_of(target.host, port, lan=self._lan)
        named = {
            "host": target.netloc.decode(),
            "content-type": MEDIA,
            "user-agent": f"Kantis/{__version__}",
        }
        # The connection goes to the address that was looked at, its certificate has to be that
        # of the name. Each call has a connection of its own: another name may be at the address.
        async with (
            httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=self._timeout_s) as client,
            client.stream(
                "POST", target.copy_with(host=address), content=body, headers=headers | named,
                extensions={"sni_hostname": target.host},
            ) as response,
        ):  # fmt: skip
            said = b""
            async for part in response.aiter_raw():
                said += part
                if len(said) >= ANSWER_BYTES_MAX:
                    break
        text = said[:ANSWER_BYTES_MAX].decode("utf-8", "replace")
        return Answer(response.status_code, _outcome(response.status_code), _printable(text))


def _outcome(status: int) -> str:
    if 200 <= status < 300:
        return "delivered"
    return "redirect" if 300 <= status < 400 else "refused"


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
