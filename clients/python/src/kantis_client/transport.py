"""How a request travels: retried where that is safe, and answered or raised.

Guarantee: what is retried can be repeated without doing anything twice. That is reading, and
what carries an id: a single event, adjustment or the like without one gets a random
Idempotency-Key before it is sent for the first time, and keeps it. Everything else is sent
again only when the service has said that nothing was done (429), or was not reached at all.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

import httpx

_BUSY: Final = 429
_AGAIN: Final = frozenset({_BUSY, 500, 502, 503, 504})
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 30.0
_KEY: Final = "Idempotency-Key"


class Problem(Exception):
    """A "no" of the service (RFC 9457): a code for programs, what to do next for people."""

    def __init__(self, answer: httpx.Response) -> None:
        try:
            body = answer.json()
        except ValueError:  # not from Kantis: a proxy before it
            body = {}
        self.status: int = answer.status_code
        self.code: str = body.get("code", "")
        self.title: str = body.get("title", answer.reason_phrase)
        self.detail: str = body.get("detail", answer.text[:200])
        #: whether the id is used up; ``None`` where nothing of that kind was asked
        self.recorded: bool | None = body.get("recorded")
        self.request: str = answer.headers.get("x-request-id", "")
        self.body: dict[str, Any] = body
        super().__init__(f"{self.status} {self.code or self.title}: {self.detail}")


class Unreachable(Exception):
    """The service was not reached in time; nobody knows what became of the request."""


class Transport:
    """A connection to a service with a key."""

    def __init__(
        self,
        address: str,
        key: str = "",
        *,
        patience_s: float = 30.0,
        timeout_s: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """``patience_s`` is how long a request may wait for its next try in all."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(
            base_url=address, headers=headers, timeout=timeout_s, transport=transport
        )
        self._patience_s, self._sleep = patience_s, sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Any = None,
        keyed: bool = False,
        text: bool = False,
        file: tuple[str, bytes] | None = None,
        form: Mapping[str, str | None] | None = None,
    ) -> Any:
        given = {name: value for name, value in (headers or {}).items() if value is not None}
        if keyed and isinstance(body, Mapping) and not body.get("id") and _KEY not in given:
            given[_KEY] = f'"{uuid.uuid4()}"'
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        request = self._http.build_request(
            method,
            path,
            params=asked,
            headers=given,
            json=body if body is not None else None,
            files={"file": file} if file is not None else None,
            data={name: value for name, value in (form or {}).items() if value is not None},
        )
        answer = self._send(request, safe=keyed or method == "GET")
        if answer.is_error:
            raise Problem(answer)
        if text:
            return answer.text
        return answer.json() if answer.content else None

    def _lines(self, path: str, *, query: Mapping[str, Any] | None = None) -> Iterator[str]:
        """The lines of a stream as they come; one that breaks off raises ``Unreachable``."""
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            with self._http.stream("GET", path, params=asked) as answer:
                if answer.is_error:
                    answer.read()
                    raise Problem(answer)
                yield from answer.iter_lines()
        except httpx.TransportError as error:
            raise Unreachable(f"The stream broke off: {error}") from error

    def _send(self, request: httpx.Request, *, safe: bool) -> httpx.Response:
        """Send, and again while that is safe and patience lasts."""
        waited, wait = 0.0, _FIRST_WAIT_S
        while True:
            answer, error = self._try(request)
            if answer is not None:
                again = answer.status_code == _BUSY or (safe and answer.status_code in _AGAIN)
                pause = max(wait, _retry_after_s(answer))
            else:
                again = safe or isinstance(error, httpx.ConnectError)
                pause = wait
            pause *= 1 + random.random() / 4
            if not again or waited + pause > self._patience_s:
                if answer is not None:
                    return answer
                raise Unreachable(f"{request.method} {request.url}: {error}") from error
            self._sleep(pause)
            waited += pause
            wait = min(wait * 2, _LONGEST_WAIT_S)

    def _try(
        self, request: httpx.Request
    ) -> tuple[httpx.Response | None, httpx.TransportError | None]:
        try:
            return self._http.send(request), None
        except httpx.TransportError as error:
            return None, error


def _retry_after_s(answer: httpx.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isdecimal() else 0.0
