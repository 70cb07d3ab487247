"""The porter asks once for many, and never tells anybody what was asked before they came."""

import asyncio

import pytest

from kantis.doors.api.porter import Porter
from kantis.store.rows import KeyRow

KEY = KeyRow(1, "abcdefgh", b"", "Till", 1, "till", "till-1", "", 0)


class Books:
    """Keys that hold, and what was asked; each look takes until it is let go."""

    def __init__(self) -> None:
        self.known: dict[str, KeyRow | None] = {"good": KEY, "bad": None}
        self.asked: list[list[str]] = []
        self.gate = asyncio.Semaphore(0)

    async def ask(self, shown: list[str]) -> dict[str, KeyRow | None]:
        self.asked.append(shown)
        found = {each: self.known[each] for each in shown}  # looked at when the look begins
        await self.gate.acquire()
        return found


async def let_run() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_who_comes_while_it_asks_is_asked_for_together_and_afterwards() -> None:
    async def run() -> None:
        books = Books()
        porter = Porter(books.ask)
        first = asyncio.create_task(porter.find("good"))
        await let_run()
        books.known["good"] = None  # revoked, while the first look is under way
        later = [asyncio.create_task(porter.find(s)) for s in ("good", "good", "bad")]
        await let_run()
        for _ in range(2):
            books.gate.release()
        assert await first == KEY
        assert await asyncio.gather(*later) == [None, None, None]
        assert books.asked == [["good"], ["good", "bad"]]

    asyncio.run(run())


def test_a_porter_that_remembers_would_let_a_revoked_key_in() -> None:
    class Forgetful(Porter):
        """Takes everybody who comes while it asks along."""

        async def find(self, secret: str) -> KeyRow | None:
            if self._asking is not None:
                await self._asking
                return KEY
            return await super().find(secret)

    async def run() -> None:
        books = Books()
        porter = Forgetful(books.ask)
        first = asyncio.create_task(porter.find("good"))
        await let_run()
        books.known["good"] = None
        later = asyncio.create_task(porter.find("good"))
        await let_run()
        books.gate.release()
        assert (await first, await later) == (KEY, KEY)

    asyncio.run(run())


def test_a_look_that_fails_fails_for_those_who_waited_and_for_nobody_else() -> None:
    async def run() -> None:
        failing = True

        async def ask(shown: list[str]) -> dict[str, KeyRow | None]:
            await asyncio.sleep(0)
            if failing:
                raise OSError("gone")
            return dict.fromkeys(shown, KEY)

        porter = Porter(ask)
        both = [asyncio.create_task(porter.find("good")) for _ in range(2)]
        for each in both:
            with pytest.raises(OSError, match="gone"):
                await each
        failing = False
        hung_up = asyncio.create_task(porter.find("good"))
        other = asyncio.create_task(porter.find("good"))
        await asyncio.sleep(0)
        hung_up.cancel()
        assert await other == KEY

    asyncio.run(run())
