"""Sign-offs: nothing is published without the signatures that are demanded, by whatever way."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import kantis.desk
from kantis.core.calendar import DAY_MS
from kantis.core.knobs import ProgramError, plain
from kantis.desk import cancelling, editing, settings, signoffs, staff, text
from kantis.desk.audit import By, alone
from kantis.desk.signoffs import Demand
from kantis.desk.submit import Desk
from kantis.desk.verify import verify
from kantis.store import hands
from kantis.store import signoffs as rows
from kantis.store.books import Forbidden, Outage

BEGIN = 1_790_000_000_000
FILE = """\
program: club
money: EUR
timezone: UTC
balances: {{points: {{expires: 12 months after earning}}}}
earning: {{all: {{give: {n} points per 1 EUR}}}}
"""
LATER = "2026-12-01"
TWO = Demand(2, ("manager", "auditor"))


class Clock:
    """A clock that ticks, and that a test moves."""

    now = BEGIN

    def __call__(self) -> int:
        self.now += 1
        return self.now


class Club:
    """A program, and people who run it: an owner, two managers, two auditors, a cashier."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.by, self.number = desk, dict[str, By](), dict[str, int]()
        source = FILE.format(n=1)
        desk.publish("club", 0, source, plain(text.read(source)))
        for name, role in (
            ("olga", "owner"), ("maija", "manager"), ("mart", "manager"), ("anh", "auditor"),
            ("ants", "auditor"), ("kai", "cashier"),
        ):  # fmt: skip
            self.number[name], _ = staff.invite(desk, name, name.title(), role, "", By("test"))
            self.by[name] = By(name, name.title())

    def demand(self, wanted: Demand, who: str = "olga") -> int:
        return signoffs.settle(self.desk, 1, wanted, self.number[who], self.by[who])

    def put_up(self, n: int = 2, who: str = "olga", since: str = "") -> int:
        draft = editing.read(FILE.format(n=n))
        number, by = self.number.get(who, 0), self.by.get(who, By("key", who))
        return editing.put_up(self.desk, draft, since, self.desk.clock(), by, number)

    def sign(self, draft: int, *names: str) -> None:
        for name in names:
            signoffs.sign(self.desk, 1, draft, self.number[name], "Fine.", self.by[name])

    def unsign(self, draft: int, name: str) -> None:
        signoffs.unsign(self.desk, 1, draft, self.number[name], self.by[name])

    def publish(self, n: int = 2, since: str = "", more: str = "") -> int:
        draft = editing.read(FILE.format(n=n) + more)
        return editing.publish(self.desk, draft, since, self.desk.clock(), self.by["olga"]).version

    def refused(self, do: Any, *about: Any) -> str:
        with pytest.raises(ProgramError) as found:
            do(*about)
        return found.value.faults[0].code

    def signed(self, version: int) -> list[str]:
        row = rows.published(self.desk.books, 1)[version]
        return [each.name for each in rows.signatures(self.desk.books, 1)[row.number]]

    def last(self) -> dict[str, Any]:
        line = hands.audit(self.desk.books, 1 << 60, 1)[0]
        said: dict[str, Any] = json.loads(line.said) | {"deed": line.deed}
        return said


@pytest.fixture
def club(url: str) -> Iterator[Club]:
    with kantis.desk.open(url, clock=Clock()) as desk:
        assert isinstance(desk, Desk)
        yield Club(desk)
        assert verify(desk.books).ok


def test_without_a_demand_nobody_signs(club: Club) -> None:
    assert club.publish(2) == 2
    assert club.refused(club.sign, club.put_up(3), "maija") == "no-signer"


def test_a_version_waits_for_its_signatures_and_keeps_them(club: Club) -> None:
    club.demand(TWO)
    assert club.refused(club.publish) == "signatures-missing"
    draft = club.put_up()
    assert club.put_up() == draft
    assert club.refused(club.publish) == "signatures-missing"
    club.sign(draft, "maija")
    club.sign(draft, "maija")
    assert club.refused(club.publish) == "signatures-missing"
    club.sign(draft, "anh")
    assert signoffs.standings(club.desk.books, 1)[0].ready
    assert club.publish() == 2
    assert club.signed(2) == ["Maija", "Anh"]
    assert club.last()["signed"] == ["Maija (manager)", "Anh (auditor)"]
    assert signoffs.standings(club.desk.books, 1) == []
    assert club.refused(club.unsign, draft, "anh") == "draft-closed"
    assert club.refused(club.sign, draft, "mart") == "draft-closed"
    assert club.publish() == 2  # the same again changes nothing, and needs nobody


def test_with_the_guard_off_it_is_published_unsigned(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    club.demand(TWO)
    monkeypatch.setattr(signoffs, "guard", lambda *about: None)
    assert club.publish() == 2


def test_another_byte_day_or_version_is_another_draft(club: Club) -> None:
    club.demand(TWO)
    draft = club.put_up()
    club.sign(draft, "maija", "anh")
    for about in ((3, "", ""), (2, LATER, ""), (2, "", "# a thought\n")):
        assert club.refused(club.publish, *about) == "signatures-missing"
    later = club.put_up(5, since=LATER)
    club.sign(later, "mart", "ants")
    assert club.publish(5, LATER) == 2
    assert club.refused(club.publish) == "signatures-missing"
    assert club.refused(club.sign, draft, "mart") == "draft-overtaken"
    assert club.refused(club.put_up, 2) == "versions-overlap"
    cancelling.cancel(club.desk, "club", 2, ("olga", "Olga"))
    assert club.publish() == 3  # what they had seen is what there is again
    assert club.signed(3) == ["Maija", "Anh"]


def test_nobody_signs_their_own_and_an_unknown_hand_takes_one_more(club: Club) -> None:
    club.demand(Demand(1, ("owner", "manager")))
    own = club.put_up(2, "maija")
    assert club.refused(club.sign, own, "maija") == "own-draft"
    for name in ("anh", "kai"):
        assert club.refused(club.sign, own, name) == "no-signer"
    club.sign(own, "mart")
    assert club.publish() == 2
    by_key = club.put_up(3, "a key")
    club.sign(by_key, "mart")
    assert club.refused(club.publish, 3) == "signatures-missing"
    club.sign(by_key, "olga")
    assert club.publish(3) == 3


def test_a_signature_is_taken_back_and_whoever_left_does_not_count(club: Club) -> None:
    club.demand(TWO)
    draft = club.put_up()
    club.sign(draft, "maija", "anh")
    club.unsign(draft, "anh")
    assert club.refused(club.publish) == "signatures-missing"
    club.sign(draft, "anh", "mart")
    assert staff.end(club.desk, club.number["maija"], By("test"))
    assert club.publish() == 2
    assert club.signed(2) == ["Anh", "Mart"]


def test_a_draft_is_taken_back(club: Club) -> None:
    club.demand(TWO)
    draft = club.put_up()
    club.sign(draft, "maija", "anh")
    for _ in range(2):
        signoffs.drop(club.desk, 1, draft, club.by["mart"])
    assert club.last()["deed"] == "drop"
    assert club.refused(club.publish) == "signatures-missing"
    assert club.refused(club.sign, 99, "maija") == "unknown-draft"
    assert club.put_up() != draft  # and put up again it has no signature
    assert signoffs.standings(club.desk.books, 1)[0].missing == 2


def test_less_is_demanded_only_with_the_signatures_of_before(club: Club) -> None:
    assert club.demand(TWO) == 0
    assert club.demand(Demand(2, ("auditor",))) == 0  # no weaker: at once
    assert club.demand(TWO) == 1
    signoffs.drop(club.desk, 1, 1, club.by["olga"])
    draft = club.demand(Demand())
    assert draft == club.demand(Demand())
    settle = signoffs.settle_signed, club.desk, 1, draft, club.by["olga"]
    assert club.refused(*settle) == "signatures-missing"
    assert club.refused(club.sign, draft, "maija") == "no-signer"
    club.sign(draft, "anh", "ants")
    assert signoffs.demand(club.desk.books, 1).count == 2
    signoffs.settle_signed(club.desk, 1, draft, club.by["olga"])
    assert signoffs.demand(club.desk.books, 1) == Demand()
    assert club.last()["signed"] == ["Anh (auditor)", "Ants (auditor)"]
    assert club.publish() == 2


def test_a_demand_that_was_overtaken_is_put_up_again(club: Club) -> None:
    club.demand(Demand(1, ("auditor",)))
    draft = club.demand(Demand())
    club.sign(draft, "anh")
    club.demand(Demand(2, ("auditor",)))
    assert club.refused(signoffs.settle_signed, club.desk, 1, draft, club.by["olga"]) == (
        "draft-overtaken"
    )
    version = club.put_up()
    assert club.refused(signoffs.settle_signed, club.desk, 1, version, club.by["olga"]) == (
        "unknown-draft"
    )


def test_with_the_order_of_demands_off_one_person_lowers_it(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    club.demand(TWO)
    monkeypatch.setattr(Demand, "weaker_than", lambda self, other: False)
    assert club.demand(Demand()) == 0
    assert club.publish() == 2


def test_what_cannot_be_demanded(club: Club) -> None:
    for wrong in (Demand(10, ("manager",)), Demand(1, ()), Demand(-1, ("manager",))):
        assert club.refused(club.demand, wrong) == "bad-demand"
    assert club.refused(club.demand, Demand(1, ("owner",))) == "too-few-people"
    assert club.refused(club.demand, Demand(3, ("auditor",))) == "too-few-people"
    with pytest.raises(ValueError, match="alone"):
        settings.put(club.desk, 1, signoffs.COUNT, None, club.by["olga"])


def test_what_cannot_be_put_up(club: Club) -> None:
    club.demand(TWO)
    assert club.refused(club.put_up, 1) == "nothing-new"
    assert club.refused(club.put_up, 2, "olga", "2020-01-01") == "in-the-past"
    other = editing.read(FILE.format(n=1).replace("club", "other"))
    put_up = editing.put_up, club.desk, other, "", BEGIN, club.by["olga"], 1
    assert club.refused(*put_up) == "unknown-program"


def test_the_books_keep_what_was_signed(club: Club) -> None:
    club.demand(TWO)
    draft = club.put_up()
    club.sign(draft, "maija", "anh")
    club.publish()
    for wrong in (
        "DELETE FROM signature", "DELETE FROM draft", "UPDATE draft SET source = 'x'",
        "UPDATE draft SET closed = NULL", "UPDATE draft SET version = 7",
        "UPDATE signature SET name = 'x'", "UPDATE signature SET staff = 1",
    ):  # fmt: skip
        with pytest.raises((Forbidden, Outage)), alone(club.desk) as books:
            books.execute(wrong)


# ── two people at once ───────────────────────────────────────────────────────


def race(club: Club, rounds: int, publish: Any) -> int:
    """One person publishes while another takes the signature back; how often a version came
    of it that has no signature."""
    unsigned = 0
    for n in range(rounds):
        club.desk.clock.now += DAY_MS  # type: ignore[attr-defined]
        draft = club.put_up(n + 2)
        club.sign(draft, "maija")
        both = threading.Barrier(2)

        def attempt(do: Any, *about: Any, both: threading.Barrier = both) -> str:
            both.wait()
            try:
                do(*about)
            except ProgramError as error:
                return error.faults[0].code
            return ""

        with ThreadPoolExecutor(2) as pool:
            back = pool.submit(attempt, club.unsign, draft, "maija")
            done = pool.submit(attempt, publish, n + 2)
            said = back.result(), done.result()
        left = rows.signatures(club.desk.books, 1).get(draft, [])
        unsigned += not said[1] and not left
        if not unsigned:
            assert said in (("draft-closed", ""), ("", "signatures-missing"))
    return unsigned


def test_publishing_and_taking_back_at_once(club: Club) -> None:
    club.demand(Demand(1, ("manager",)))
    assert race(club, 12, club.publish) == 0


def test_with_a_look_before_the_transaction_it_goes_wrong(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    club.demand(Demand(1, ("manager",)))
    guard = signoffs.guard

    def careless(n: int) -> None:
        with alone(club.desk) as books:
            last = books.versions(1)[-1].number
            guard(books, 1, "club", last, 0, FILE.format(n=n))
        time.sleep(0.2)
        monkeypatch.setattr(signoffs, "guard", lambda *about: None)
        club.publish(n)

    assert race(club, 1, careless) == 1


def test_everybody_signs_at_once(club: Club) -> None:
    club.demand(TWO)
    draft = club.put_up()
    names = ("maija", "mart", "anh", "ants") * 4
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: club.sign(draft, name), names))
    (found,) = signoffs.standings(club.desk.books, 1)
    assert sorted(each.name for each in found.signed) == ["Anh", "Ants", "Maija", "Mart"]
    assert club.publish() == 2
