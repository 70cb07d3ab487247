"""A spike: who comes while the line is full is told when to come back, and nothing is lost."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kantis.desk import keys
from kantis.doors.api.app import application
from kantis.doors.api.setup import Setup
from tests.desk.shop import Shop

WAITING_MAX, SPIKE = 20, 200
LINES = [{"id": "1", "product": "latte", "amount": 450}]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(str(tmp_path / "books.db")) as shop:
        shop(shop.enrol("a"))
        yield shop


async def spike(shop: Shop, most: int) -> list[httpx.Response]:
    """Purchases that come at a rate, whatever becomes of them, while a batch takes long; then
    those who were turned away come again."""
    key, _ = keys.make(shop.desk, "Till", "p", "till", "till-1")
    gate = application(shop.desk, Setup(tills_max=most, jobs=False))
    headers = {"authorization": f"Bearer {key}"}
    inside = httpx.ASGITransport(app=gate, raise_app_exceptions=False)
    async with (
        gate.app.router.lifespan_context(gate.app),  # type: ignore[attr-defined]
        httpx.AsyncClient(transport=inside, base_url="http://test", headers=headers) as till,
    ):

        async def buy(number: int) -> httpx.Response:
            body = {"type": "purchase", "id": str(number), "subject": "card:a",
                    "data": {"lines": LINES}}  # fmt: skip
            return await till.post("/v1/events", json=body)

        with shop.desk.quiet():
            sent = []
            for number in range(SPIKE):
                sent.append(asyncio.ensure_future(buy(number)))
                await asyncio.sleep(0.001)
        heard = await asyncio.gather(*sent)
        turned = [number for number, each in enumerate(heard) if each.status_code == 429]
        for number in turned:
            assert (await buy(number)).json()["outcome"] == "decided"
    return heard


def test_a_spike_is_turned_away_with_retry_after_and_nothing_is_lost(shop: Shop) -> None:
    heard = asyncio.run(spike(shop, WAITING_MAX))
    found = Counter(each.status_code for each in heard)
    assert set(found) == {200, 429}, found
    assert found[200] == WAITING_MAX
    for each in heard:
        if each.status_code == 429:
            assert each.headers["retry-after"] == "1"
            assert each.json()["code"] == "busy"
    assert shop.desk.books.counts()["event"] == SPIKE + 1


def test_without_the_limit_all_of_them_wait(shop: Shop) -> None:
    heard = asyncio.run(spike(shop, 1 << 30))
    assert {each.status_code for each in heard} == {200}
