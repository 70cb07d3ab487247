"""Pulling: asking a shop over its API, page by page, as fast as it lets us.

A shop that says "too many" (429), or that has a fault (5xx), is asked again after what it says
in ``Retry-After``, or after a pause that doubles; ``Silent`` when it does not come round.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any, Final, Self

import httpx
from msgspec import Struct

from kantis.doors.shops.reading import decoded

_TIMEOUT_S: Final = 20.0
_TRIES: Final = 6
_PAUSE_S_MAX: Final = 60.0
_BUSY: Final = frozenset({429, 500, 502, 503, 504})


class Silent(Exception):
    """The shop does not answer as it should; what it said."""


class Answer(Struct):
    """A page: its data, the address of the next one from ``Link``, and its headers."""

    data: Any
    next: str
    headers: dict[str, str]


class Client:
    """Asks one shop. It follows no redirect: a token is sent to nobody else."""

    def __init__(
        self, *, sleep: Callable[[float], None] = time.sleep, tries: int = _TRIES,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:  # fmt: skip
        self._http = httpx.Client(timeout=timeout_s, follow_redirects=False)
        self._sleep, self._tries = sleep, tries
        self.headers: dict[str, str] = {}
        #: how often it was asked, and how often it said "too many"
        self.asked = self.slowed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, url: str, params: dict[str, str] | None = None) -> Answer:
        """A page of the shop."""
        return self._ask("GET", url, params or None, None)

    def post(self, url: str, body: dict[str, Any]) -> Answer:
        """A question that has a body."""
        return self._ask("POST", url, None, body)

    def _ask(self, method: str, url: str, params: dict[str, str] | None, body: Any) -> Answer:
        said = ""
        for attempt in range(self._tries):
            self.asked += 1
            try:
                answer = self._http.request(
                    method, url, params=params, json=body, headers=self.headers
                )
            except httpx.HTTPError as error:
                said = f"{type(error).__name__}: {error}"
                self._sleep(min(2.0**attempt, _PAUSE_S_MAX))
                continue
            if answer.status_code not in _BUSY:
                return self._read(answer)
            said = f"{answer.status_code} {answer.reason_phrase}"
            self.slowed += answer.status_code == 429
            self._sleep(min(_patience(answer, attempt), _PAUSE_S_MAX))
        raise Silent(f"The shop does not answer: {said}. Try it again later.")

    def _read(self, answer: httpx.Response) -> Answer:
        if answer.status_code != 200:
            raise Silent(
                f"The shop answers {answer.status_code} {answer.reason_phrase}. Look at the token, "
                "and at what it may read."
            )
        following = answer.links.get("next", {}).get("url", "")
        if following and httpx.URL(following).host != answer.url.host:
            raise Silent("The shop's next page is on another host.")
        return Answer(decoded(answer.content), following, dict(answer.headers))

    @staticmethod
    def written(moment: int) -> str:
        """An instant as APIs want it."""
        found = dt.datetime.fromtimestamp(moment // 1000, dt.UTC)
        return found.strftime("%Y-%m-%dT%H:%M:%SZ")


def _patience(answer: httpx.Response, attempt: int) -> float:
    said = answer.headers.get("retry-after", "")
    try:
        return max(0.0, float(said))
    except ValueError:
        return 2.0**attempt
