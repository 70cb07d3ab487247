"""Partners and payouts: positions are a fold of decisions, whatever happens, and in words."""

from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kantis.core import places
from kantis.core.account import Account, encode_account
from kantis.core.amounts import share
from kantis.core.decision import Context, Entry, Original, encode_decision
from kantis.core.events import (
    Body,
    Cancel,
    Choose,
    Event,
    Exchange,
    Line,
    Purchase,
    Redeem,
    Refund,
)
from kantis.core.money import to_coins
from kantis.desk import text
from kantis.engine import outward
from kantis.engine.decide import advance, decide
from kantis.engine.program import Program, Version, assemble
from tests.engine.explaining import explain

REPO = Path(__file__).parents[2]
DAY_MS = 86_400_000
START = 1_709_280_000_000  # 2024-03-01 08:00 UTC


def language(name: str) -> Program:
    """The program of a case file of the language."""
    file = REPO / "programs" / "cases" / "language" / f"{name}.yaml"
    return assemble([Version.of(1, 0, text.read(file.read_text()).value["program"])])


PARTNERS, PAYOUTS = language("partners"), language("payouts")


class Member:
    """An account with everything that was decided on it."""

    def __init__(self, program: Program) -> None:
        self.program, self.account = program, Account(1)
        self.entries: list[tuple[Event, Entry]] = []

    def does(self, day: int, body: Body, *, ask: bool = True) -> Entry:
        """Something happens on a day; the entry that it makes."""
        event = Event("t", str(len(self.entries)), START + day * DAY_MS, "card:1", body, ask=ask)
        context = Context()
        if isinstance(body, Refund | Cancel):
            key = f"t/{body.of}"
            for said, entry in self.entries:
                if said.key == key:
                    undone = tuple(e.decision for _, e in self.entries if e.decision.cause == key)
                    context.originals[key] = Original(said, entry, undone)
        entry = decide(self.program, self.account, event, context)[-1]
        self.entries.append((event, entry))
        return entry

    def positions(self) -> Counter[tuple[str, int]]:
        """What stands in each place of each name outside of the member's balances."""
        found: Counter[tuple[str, int]] = Counter()
        names = set(self.program.newest.balances)
        for _, entry in self.entries:
            for name, source, target, amount, _, _ in entry.decision.postings:
                if name not in names:
                    found[name, source] -= amount
                    found[name, target] += amount
        return found


def bought(partner: str, *amounts: int, points: int = 0) -> Purchase:
    lines = tuple(Line(str(n), "", 1, amount) for n, amount in enumerate(amounts, 1))
    return Purchase(lines, partner=partner, points={"pay": points} if points else None)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["grocer", "fuel", "web", "nobody"]),
            st.integers(1, 40_000),
            st.integers(1, 40_000),
            st.integers(0, 40),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_buying_and_bringing_everything_back_leaves_no_position(
    trips: list[tuple[str, int, int, int, bool]],
) -> None:
    member = Member(PARTNERS)
    day = 0
    for partner, first, second, wait, spends in trips:
        there = member.account.purse.get("points", [0])[0]
        points = min(200, there) if spends else 0
        day += wait
        bought_at = len(member.entries)
        member.does(day, bought(partner, first, second, points=points), ask=False)
        member.does(day + 70, Refund(str(bought_at), (("1", 1),)))
        member.does(day + 71, Refund(str(bought_at)))
    left = {key: amount for key, amount in member.positions().items() if key[1] > places.CHARITY}
    assert not any(left.values()), left


def test_it_is_the_fold_that_takes_positions_back(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """The twin: without what a refund does outward, the grocer would pay for nothing."""
    member = Member(PARTNERS)
    member.does(0, bought("grocer", 1000))
    monkeypatch.setattr(outward, "run", lambda plan, turn: None)
    member.does(1, Refund("0"))
    assert member.positions()["grocer", places.PARTNER_RECEIVABLE] == 5_000_000


def test_facts_and_postings_say_the_same() -> None:
    member = Member(PARTNERS)
    member.does(0, bought("grocer", 54_300, 10_000))
    member.does(1, Redeem("pay", 2000, 300, partner="fuel"))
    member.does(2, Refund("0", (("2", 1),)))
    member.does(3, Cancel("1"))
    told: Counter[tuple[str, int]] = Counter()
    for _, entry in member.entries:
        for name, _, kind, _, _, money in entry.decision.fired:
            if isinstance(kind, str):
                place = {"issued": 1, "reversed": -1}.get(kind)
                where = places.PARTNER_RECEIVABLE if place else places.PARTNER_PAYABLE
                told[name, where] += money * (place or {"redeemed": 1, "returned": -1}[kind])
    for key, amount in told.items():
        assert member.positions()[key] == amount


def test_an_entry_says_what_it_does_to_partners() -> None:
    member = Member(PARTNERS)
    earned = member.does(0, bought("grocer", 5430))
    assert explain(PARTNERS, earned)[:2] == [
        "54 points for shopping grocer, funded by grocer: 1 point per 1.00 GBP, on 54.00 GBP.",
        "grocer pays 0.27 GBP for 54 points.",
    ]
    spent = member.does(1, Redeem("pay", 2000, 50, partner="fuel"))
    assert "fuel is paid 0.20 GBP for 50 points spent there." in explain(PARTNERS, spent)
    back = member.does(2, Cancel("1"))
    assert "fuel is paid 0.20 GBP less: 50 points came back." in explain(PARTNERS, back)
    taken = member.does(3, Refund("0"))
    assert "grocer pays 0.27 GBP less: 54 points taken back." in explain(PARTNERS, taken)
    member.does(4, bought("web", 20_000))
    sent = member.does(5, Exchange("airline", 400))
    assert explain(PARTNERS, sent)[0] == "400 points became 250 avios at airline."
    came = member.does(6, Exchange("airline", 250, back=True))
    assert explain(PARTNERS, came)[:2] == [
        "250 avios of airline became 400 points.",
        "airline pays 2.00 GBP for 400 points.",
    ]


def test_an_entry_says_what_became_of_a_donation() -> None:
    member = Member(PAYOUTS)
    member.does(0, Choose("charity", "sea"))
    line = (Line("1", "", 1, 3750),)
    both = member.does(1, Purchase(line, channel="cash"))
    assert "0.375 cause gave 0.375 EUR to sea." in explain(PAYOUTS, both)
    back = member.does(2, Refund("1"))
    assert "0.375 cause took 0.375 EUR back from sea." in explain(PAYOUTS, back)
    member.does(3, Purchase((Line("1", "", 1, 200_000),), channel="points"))
    given_ = member.does(4, Redeem("match", points=1000))
    assert "1000 points gave 1.00 EUR to forest." in explain(PAYOUTS, given_)
    assert "2.00 EUR more goes to forest." in explain(PAYOUTS, given_)
    assert "sponsor pays 2.00 EUR." in explain(PAYOUTS, given_)
    share_ = member.does(5, Redeem("share", points=1000))
    assert explain(PAYOUTS, share_) == ["1000 points paid 10.00 EUR into your share."]


def test_time_in_steps_pays_out_as_time_at_once() -> None:
    for program in (PARTNERS, PAYOUTS):
        found = []
        for step in (1, 9, 500):
            member = Member(program)
            for name, value in (("standing", "yes"), ("convert", "weekly"), ("dividend", "cash")):
                if name in program.newest.choices:
                    member.does(0, Choose(name, value))
            body = Purchase((Line("1", "", 1, 999_900),), channel="points", partner="grocer")
            member.does(1, body, ask=False)
            said: list[bytes] = []
            for day in range(2, 502, step):
                entries = advance(program, member.account, START + min(day + step, 502) * DAY_MS)
                said += [encode_decision(entry.decision) for entry in entries]
            found.append((encode_account(member.account), said))
        assert found[0] == found[1] == found[2]
        assert len(found[0][1]) > 10


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_coins_add_up_to_the_rounded_sum(parts: list[int]) -> None:
    coins = to_coins(parts)
    assert sum(coins) == (2 * sum(parts) + 10**6) // (2 * 10**6)
    assert all(abs(c * 10**6 - p) < 10**6 for c, p in zip(coins, parts, strict=True))


@given(st.integers(0, 10**9), st.integers(1, 9))
def test_equal_parts_have_no_rest(total: int, count: int) -> None:
    assert sum(share(total, [1] * count)) == total
