"""Courier: brings what the books have to tell to the webhooks, for as long as it runs.

Guarantee: each message is delivered at least once, or stands in the list of the dead after
the last attempt. A courier that is killed leaves nothing that another does not take over. A
webhook that is slow holds up no other.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from kantis.desk import outbox
from kantis.desk.outbox import Outcome, Taken
from kantis.desk.submit import Desk, wall_clock
from kantis.desk.vault.opening import open_seals
from kantis.desk.vault.seals import Seals, webhook
from kantis.desk.writer import RemoteDesk
from kantis.doors.outbound.calls import Answer, Caller, signed
from kantis.store.books import Books

#: Calls at once, to one webhook and to all.
PER_HOOK: Final = 8
AT_ONCE: Final = 64
#: So long it waits for news, and so long it lets news gather.
WAIT_S: Final = 0.5
GATHER_S: Final = 0.05
#: So long a webhook rests whose messages all wait for others.
REST_S: Final = 1.0
#: So long a courier that is stopped waits for its calls.
GRACE_S: Final = 3.0

#: Told what went wrong; it is tried again.
Failed = Callable[[Exception], None]
#: Waits so many seconds for news.
News = Callable[[float], object]


class Courier:
    """A thread that delivers until it is closed. ``counts`` has its deliveries by outcome."""

    def __init__(
        self,
        desk: Desk | RemoteDesk,
        failed: Failed,
        *,
        lan: bool = False,
        vault: str = "",
        news: News | None = None,
        now: Callable[[], int] = wall_clock,
        timeout_s: float | None = None,
    ) -> None:
        self._desk, self._failed, self._lan, self._now = desk, failed, lan, now
        self._news, self._timeout_s, self._vault = news or _news_of(desk), timeout_s, vault
        self._seals: Seals | None = None
        self._opening = threading.Lock()
        self.counts: Counter[str] = Counter()
        self._over = threading.Event()
        self._reader: Books | None = None
        self._busy: Counter[int] = Counter()
        #: until when a webhook is not looked at
        self._rests: dict[int, float] = {}
        #: whether nobody wants to be told anything
        self._alone = True
        self._calls: set[asyncio.Task[Outcome]] = set()
        self._heard: asyncio.Future[Any] | None = None
        self._thread = threading.Thread(target=self._run, name="kantis-courier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the calls that are under way, then stop."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._work())
        if self._reader is not None:
            self._reader.close()

    async def _work(self) -> None:
        options = {} if self._timeout_s is None else {"timeout_s": self._timeout_s}
        caller = Caller(lan=self._lan, **options)
        while not self._over.is_set():
            try:
                busy = await self._turn(caller)
            except Exception as error:
                self._failed(error)
                await self._reopen()
                busy = False
            if not busy:
                await self._wait()
        await self._end()

    async def _end(self) -> None:
        """Let the calls under way come back, for a moment: what does not is delivered again."""
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=GRACE_S)
            for each in late:
                each.cancel()
            self._calls -= late
        with suppress(Exception):
            await self._note()

    async def _turn(self, caller: Caller) -> bool:
        """Note what has come back, stage what is new, begin calls; whether there is more."""
        await self._note()
        looked = await asyncio.to_thread(self._spread)
        taken = await asyncio.to_thread(self._take)
        for each in taken:
            self._busy[each.hook] += 1
            self._calls.add(asyncio.create_task(self._deliver(caller, each)))
        return bool(looked or taken)

    async def _wait(self) -> None:
        """Until there is news, or a call has come back."""
        if self._heard is None:
            loop = asyncio.get_running_loop()
            self._heard = loop.run_in_executor(None, self._news, WAIT_S)
        await asyncio.wait({self._heard, *self._calls}, return_when=asyncio.FIRST_COMPLETED)
        if self._heard.done():
            with suppress(Exception):
                self._heard.result()
            self._heard = None
            await asyncio.sleep(WAIT_S if self._alone else GATHER_S)

    async def _reopen(self) -> None:
        if self._reader is not None:
            with suppress(Exception):
                self._reader.close()
            self._reader = None
        await asyncio.sleep(WAIT_S)

    # ── the books ────────────────────────────────────────────────────────────

    def _books(self) -> Books:
        if self._reader is None:
            self._reader = self._desk.books.reader()
        return self._reader

    def _spread(self) -> int:
        self._alone = not outbox.followers(self._books())
        return 0 if self._alone else outbox.spread(self._books(), self._desk)

    def _take(self) -> list[Taken]:
        """Deliveries that can begin now; a webhook whose messages all wait rests for a moment."""
        free, at = AT_ONCE - len(self._calls), self._now()
        wanted: list[tuple[int, int]] = []
        for hook in outbox.due(self._books(), at) if free > 0 and not self._alone else ():
            count = min(PER_HOOK - self._busy[hook], free - len(wanted))
            if count > 0 and self._rests.get(hook, 0.0) < time.monotonic():
                found = outbox.candidates(self._books(), hook, at, count)
                wanted += found
                if not found:
                    self._rests[hook] = time.monotonic() + REST_S
        return outbox.each_of(self._desk.chore("take_due", at, wanted)) if wanted else []

    async def _note(self) -> None:
        """Write down what became of the calls that have ended."""
        ended = {call for call in self._calls if call.done()}
        if not ended:
            return
        outcomes = [call.result() for call in ended]
        rows = [list(outcome_row(each)) for each in outcomes]
        await asyncio.to_thread(self._desk.chore, "note_attempts", rows)
        self._calls -= ended
        for each in outcomes:
            self._busy[each.hook] -= 1
            self._rests.pop(each.hook, None)
            self.counts[each.outcome] += 1

    # ── a call ───────────────────────────────────────────────────────────────

    def _opened(self, taken: Taken) -> list[bytes]:
        """The secrets that sign a message; ``Locked`` where the keys to them are missing."""
        with self._opening:
            if self._seals is None:
                self._seals = open_seals(self._desk, self._vault)
        return [self._seals.open(webhook(taken.id), each) for each in taken.secrets]

    async def _deliver(self, caller: Caller, taken: Taken) -> Outcome:
        began = time.perf_counter()
        at = self._now()
        try:
            secrets = await asyncio.to_thread(self._opened, taken)
            headers = signed(taken.message, at // 1_000, taken.body, secrets)
            answer = await caller.call(taken.url, headers, taken.body)
        except Exception as error:  # a fault of ours: noted like any other, and told
            self._failed(error)
            answer = Answer(0, "fault", type(error).__name__)
        ms = int((time.perf_counter() - began) * 1_000)
        tries = taken.tries + 1
        good = 200 <= answer.status < 300
        following = 0 if good else outbox.retry_at(self._now(), tries, random.random())
        return Outcome(
            taken.n, taken.hook, tries, at, ms, answer.status, answer.outcome, answer.answer,
            following,
        )  # fmt: skip


def outcome_row(each: Outcome) -> tuple[Any, ...]:
    """What is sent to the writer of an outcome."""
    return (
        each.n, each.hook, each.tries, each.at, each.ms, each.status, each.outcome, each.answer,
        each.next,
    )  # fmt: skip


def _news_of(desk: Desk | RemoteDesk) -> News:
    """Where the writer is in this process, its batches are news; elsewhere time has to pass."""
    if not isinstance(desk, Desk):
        return time.sleep

    def wait(seconds: float) -> None:
        if desk.stirred.wait(seconds):
            desk.stirred.clear()

    return wait
