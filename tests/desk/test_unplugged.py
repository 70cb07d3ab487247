"""Without the network: what a device may be told that points can pay."""

import pytest

from kantis.core.knobs import ProgramError, plain
from kantis.desk import text, unplugged
from kantis.desk.audit import By
from kantis.desk.programs import Engine, Home
from kantis.desk.showing import now_of
from kantis.desk.unplugged import Payable, Rung
from tests.desk.shop import Shop

BY = By("maija", "Maija")
TERMS = """\
program: p
money: EUR
timezone: Europe/Helsinki
balances:
  points: {expires: never}
earning:
  all: {give: 1 point per 1 EUR}
rewards:
"""
HALF = "  off: {rate: 1.00 EUR per 10 points, pays at most: 50 %, step: 10 points}\n"


def told(url: str, reward: str, most: int, spend: int = 4_000) -> list[Payable]:
    """What is said of a member who has spent so much."""
    with Shop(url, Engine(), plain(text.read(TERMS + reward))) as shop:
        shop(shop.enrol("1"))
        shop(shop.buy("2", "1", spend))
        row = shop.desk.books.account(1)
        assert row is not None
        return unplugged.payable(home(shop), now_of(home(shop), row, shop.now), shop.now, most)


def home(shop: Shop) -> Home:
    shop.desk.homes.refresh(shop.desk.books)
    return shop.desk.homes.numbered(1)


def test_amounts_go_up_to_the_cap_and_to_what_is_there(tmp_path: object) -> None:
    url = f"{tmp_path}/books.db"
    (found,) = told(url, HALF, 300)
    assert found == Payable(
        "off", "points", 40, [Rung(10, 100, 200), Rung(20, 200, 400), Rung(30, 300, 600)]
    )


def test_a_member_with_less_than_the_cap_pays_less(tmp_path: object) -> None:
    (found,) = told(f"{tmp_path}/books.db", HALF, 100_000, 2_500)
    assert [each.points for each in found.rungs] == [10, 20]


@pytest.mark.parametrize(
    "reward",
    [
        "  off: {rate: 1.00 EUR per 10 points, where: {category: tea}}\n",
        "  off: {rate: 1.00 EUR per 10 points, covers: all or nothing}\n",
        "  off: {rate: 1.00 EUR per 10 points, when: {weekdays: [Monday]}}\n",
        "  off: {rate: 1.00 EUR per 10 points, stock: 5}\n",
        "  off: {cost: 10 points, gives: 1 EUR off}\n",
        "  off: {rate: 1.00 EUR per 10 points, least: 50 points}\n",
    ],
)
def test_what_needs_somebody_to_be_asked_is_not_told(tmp_path: object, reward: str) -> None:
    assert told(f"{tmp_path}/books.db", reward, 1_000) == []


def test_fine_steps_make_few_amounts(tmp_path: object) -> None:
    (found,) = told(f"{tmp_path}/books.db", "  off: {rate: 0.01 EUR per 1 point}\n", 500, 400_000)
    assert len(found.rungs) == unplugged.RUNGS_MAX
    assert found.rungs[-1] == Rung(500, 500, 500)


def test_nothing_is_allowed_until_somebody_does(tmp_path: object) -> None:
    with Shop(f"{tmp_path}/books.db", Engine(), plain(text.read(TERMS + HALF))) as shop:
        assert unplugged.cap(shop.desk.books, 1) == 0
        unplugged.set_cap(shop.desk, home(shop), 500, BY)
        assert unplugged.cap(shop.desk.books, 1) == 500
        with pytest.raises(ProgramError):
            unplugged.set_cap(shop.desk, home(shop), -1, BY)
        unplugged.set_cap(shop.desk, home(shop), 0, BY)
        assert unplugged.cap(shop.desk.books, 1) == 0
    assert told(f"{tmp_path}/other.db", HALF, 0) == []
