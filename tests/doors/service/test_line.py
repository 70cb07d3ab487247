"""The line: full for some, open for others, and honest when the books are gone."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kantis.core.events import Event
from kantis.desk.results import Result
from kantis.doors.api.line import Line
from kantis.doors.api.problems import Problem, refusal
from kantis.store.books import Outage, Unknown
from tests.desk.shop import Shop, codes


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(str(tmp_path / "books.db")) as shop:
        shop(shop.enrol("a"))
        yield shop


def bulk(shop: Shop, name: str) -> list[Event]:
    return [shop.buy(f"{name}-{n}", "a") for n in range(150)]


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(Problem) as error:
        yield
    assert (error.value.code, error.value.headers) == (code, {"retry_after": "1"})


async def let_run() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_a_full_line_says_when_to_come_back_and_bulk_turns_no_till_away(shop: Shop) -> None:
    async def run() -> list[list[Result]]:
        line = Line(shop.desk, tills_max=2, bulk_max=200)
        with shop.desk.quiet():
            first = asyncio.ensure_future(line.submit("p", bulk(shop, "x")))
            await let_run()
            with refused("busy"):
                await line.submit("p", bulk(shop, "y"))
            tills = [
                asyncio.ensure_future(line.submit("p", [shop.buy(f"t{n}", "a")])) for n in range(2)
            ]
            await let_run()
            with refused("busy"):
                await line.submit("p", [shop.buy("t2", "a")])
            assert line.waiting == [2, 150]
        answers = await asyncio.gather(*tills, first)
        assert line.waiting == [0, 0]
        answers.append(await line.submit("p", [shop.buy("t2", "a")]))
        await line.close()
        with refused("closing"):
            await line.submit("p", [shop.buy("t3", "a")])
        return answers

    answers = asyncio.run(run())
    assert {code for answer in answers for code in codes(answer)} == {"decided"}


def test_a_caller_who_hangs_up_is_decided_and_leaves_the_line(shop: Shop) -> None:
    async def run() -> None:
        line = Line(shop.desk)
        with shop.desk.quiet():
            gone = asyncio.ensure_future(line.submit("p", [shop.buy("1", "a")]))
            await let_run()
            gone.cancel()
            await let_run()
        await line.close()
        await let_run()
        assert line.waiting == [0, 0]

    asyncio.run(run())
    assert shop.points("a") == 10


def test_an_outage_is_no_fault_and_an_unknown_outcome_is_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise Outage("the disk is full")

    def nobody_knows(*_: object) -> None:
        raise Unknown("cut off")

    async def run() -> list[Result]:
        line = Line(shop.desk)
        with monkeypatch.context() as patch:
            patch.setattr(shop.desk, "_decided", gone)
            with refused("unusable"):
                await line.submit("p", [shop.buy("1", "a")])
        with monkeypatch.context() as patch:
            patch.setattr(shop.desk.books, "commit", nobody_knows)
            answer = await line.submit("p", [shop.buy("1", "a")])
        await line.close()
        return answer

    (answer,) = asyncio.run(run())
    assert answer.outcome == "unknown"
    with refused("outcome-unknown"):
        refusal(answer, "request")
