"""What the rules are written into: its heads agree, and what it relies on holds its floors."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from msgspec import msgpack

from kantis.core.account import Account, change, encode_account
from kantis.core.calendar import DAY_MS, Calendar, instant, zone
from kantis.core.code import Code
from kantis.core.events import Line, Load, Purchase
from kantis.core.places import AVAILABLE, EXPIRED, HELD, ISSUED, PENDING, REDEEMED, VOUCHER
from kantis.core.postings import bring, leave, post, ripen
from tests.engine.member import Member, program

LINES = (
    Line("1", "a", 2, 730, "coffee", tags=("own-cup",)),
    Line("2", "b", 1, 1290, "cake"),
    Line("3", "c", 3, 990, "tea"),
)
RULES: dict[str, Any] = {
    "base": {"give": "1 point per 1 EUR", "cap": "20 points per calendar month"},
    "cups": {"where": {"category": "coffee"}, "give": "3 points per item"},
    "more": {"on": "cups", "where": {"tag": "own-cup"}, "add": "50 %"},
}
PRICES = {
    "cake": {"where": {"category": "cake"}, "off": "10 %"},
    "sweet": {"where": {"category": ["cake", "tea"]}, "off": "0.50 EUR per item"},
}


def test_paid_lines_are_read_like_any_others() -> None:
    """A voucher that does not exist is told, pays nothing, and leaves the lines as they are."""
    made = []
    for vouchers in ((), ("none",)):
        member = Member(program(RULES, prices=PRICES))
        member(Purchase(LINES, vouchers=vouchers))
        decision = member.entries["till/e1"][1].decision
        assert decision.flags == (["unknown-voucher"] if vouchers else ())
        decision.flags = ()
        made.append((msgpack.encode(decision), encode_account(member.account)))
    assert made[0] == made[1]


def test_of_two_prices_the_better_one_counts() -> None:
    member = Member(program(RULES, prices=PRICES))
    member(Purchase(LINES))
    effects = member.entries["till/e1"][1].decision.effects
    assert effects == [("2", "cake", 129), ("3", "sweet", 150)]


def test_a_negative_line_after_a_price_effect_leaves_nothing_behind() -> None:
    offer = {"bun": {"where": {"category": "cake"}, "off": "10 %"}}
    member = Member(program(RULES, offers=offer))
    member(Load("bun"))
    before = encode_account(member.account)
    member(Purchase((*LINES, Line("4", "d", 1, -1))), ask=True, refused="negative-amount")
    decision = member.entries["till/e2"][1].decision
    assert [*decision.effects, *decision.changes, *decision.postings] == []
    member.account.seq, member.account.at = 1, member.account.at - 1
    assert encode_account(member.account) == before


@pytest.mark.parametrize("name", ["Europe/Helsinki", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_a_local_day_is_what_the_zone_says(name: str) -> None:
    days, dice = Calendar(zone(name)), Random(name)
    first, last = instant("2010-01-01T00:00:00Z"), instant("2040-01-01T00:00:00Z")
    for _ in range(3000):
        moment = dice.randrange(first, last)
        assert days.day(moment) == days.local(moment).toordinal()


def test_a_day_on_which_the_offset_changes_goes_by_the_zone() -> None:
    """The twin: by the offset of the day's beginning alone it would be the wrong day."""
    days = Calendar(zone("Europe/Helsinki"))
    late = instant("2024-03-31T21:15:00Z")
    start = late // DAY_MS * DAY_MS
    offset = days.local(start).utcoffset()
    assert offset is not None
    by_offset = days.local(start).toordinal() * DAY_MS + late - start + offset.seconds * 1000
    assert by_offset // DAY_MS - days.day(start) == 0
    assert days.day(late) == days.day(start) + 1


def filled() -> Account:
    account = Account(1)
    change(account, ("lot", 1, "points", 738976, 0, "", "", ""))
    post(account, ("points", ISSUED, AVAILABLE, 10, 1, "earning"))
    post(account, ("points", ISSUED, PENDING, 5, 1, "earning"))
    return account


@pytest.mark.parametrize("target", [REDEEMED, VOUCHER, EXPIRED, HELD])
def test_no_more_leaves_than_there_is(target: int) -> None:
    account = filled()
    leave(account, "points", target, 10, account.lots[1])
    for amount in (1, 0, -1):
        with pytest.raises(AssertionError):
            leave(account, "points", target, amount, account.lots[1])


def test_no_more_ripens_than_is_pending() -> None:
    account = filled()
    assert ripen(account, "points", 5, account.lots[1])[AVAILABLE] == 15
    with pytest.raises(AssertionError):
        ripen(account, "points", 1, account.lots[1])


def test_nothing_is_not_brought() -> None:
    account = filled()
    with pytest.raises(AssertionError):
        bring(account, "points", AVAILABLE, 0, account.lots[1])


def test_what_is_worked_out_once_is_not_once_it_may_have_moved() -> None:
    code = Code("level", "turn")
    first = code.once("turn.level", "level")
    code.unsettle()
    code.add(f"return {first}, {code.once('turn.level', 'level')}")
    code.begin(code.head())
    assert code.source.splitlines()[1:] == [
        "    level = turn.level",
        "    return level, (turn.level)",
    ]


def test_prices_are_written_once_however_often_somebody_pays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Paid lines have a function of their own, which no purchase but the first compiles."""
    pay = {"pay": {"rate": "1.00 EUR per 10 points", "covers": "all or nothing"}}
    member = Member(program({"base": {"give": "9 points per item"}}, prices=PRICES, rewards=pay))
    member(Purchase(LINES))
    paid = Purchase((Line("1", "b", 1, 50, "coffee"),), points={"pay": 5})
    member(paid)
    monkeypatch.setattr(Code, "function", None)
    member(paid)
    assert member.entries["till/e3"][1].decision.effects == [("", "pay", 50)]
    assert not member.entries["till/e3"][1].decision.flags
