"""Questions after a purchase: who is asked and how often, one answer, what it brings, and words
that open for nobody else."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import json

import kantis.desk
from kantis.core.account import decode_account
from kantis.core.calendar import DAY_MS
from kantis.core.events import EDITED, Body, Enrol, Event, Line, Purchase, Refund
from kantis.core.knobs import ProgramError, plain
from kantis.core.places import AVAILABLE
from kantis.desk import gifts, hooks, surveys, text
from kantis.desk.audit import By
from kantis.desk.jobs import Job, Progress
from kantis.desk.measures import definitions, figures, panels
from kantis.desk.measures.tallying import catch_up
from kantis.desk.submit import Desk
from kantis.desk.vault import answering, membership, merging, portable
from kantis.desk.vault.opening import open_vault
from kantis.desk.vault.person import Person
from kantis.desk.vault.seals import Seals
from kantis.desk.vault.vault import Member
from kantis.desk.verify import verify
from kantis.store import passkeys
from kantis.store import surveys as rows
from kantis.store.passkeys import PasskeyRow
from kantis.store.surveys import Filter, QuestionRow, SurveyRow

PROGRAM = """
program: cafe
money: EUR
timezone: Europe/Helsinki
balances: {points: {expires: never}}
earning:
  all: {give: 1 point per 1 EUR}
  answers: {for: answer, give: 10 points}
"""
START = 1_700_000_000_000
HOUR_MS = 3_600_000
ON = SurveyRow(1, 1, "{}", 2, 30, 100, "", "")
WORDS = "The coffee was cold, says Anna"


class Cafe:
    """A café that asks, with members who are known."""

    def __init__(self, url: str, keys: Path) -> None:
        desk = kantis.desk.open(url, clock=lambda: self.now)
        assert isinstance(desk, Desk)
        self.desk, self.now, self.count = desk, START, 0
        desk.publish("cafe", 0, PROGRAM, plain(text.read(PROGRAM)))
        self.vault = open_vault(desk, str(keys))
        self.members = [self.joins(card) for card in ("1", "2")]

    def joins(self, card: str) -> str:
        account = self.tell(f"card:{card}", Enrol())
        person = Person(given_name="Anna", email=f"{card}@example.org")
        return self.vault.enrol(1, account, f"till/{self.count}", person, b"", self.now)

    def tell(self, subject: str, body: Body) -> int:
        self.count += 1
        event = Event("till", str(self.count), self.now, subject, body)
        (result,) = self.desk.submit([event], program="cafe")
        assert result.outcome in ("decided", "alone"), result
        return result.account or 0

    def buys(self, card: str = "1", where: str = "") -> str:
        """A purchase; its id."""
        self.tell(f"card:{card}", Purchase((Line("1", "latte", 2, 400),), where))
        return str(self.count)

    def asks(self, row: SurveyRow = ON) -> None:
        surveys.put(self.desk, row, By("test"))

    def look(self, hours: int = 2) -> str:
        self.now += hours * HOUR_MS
        return surveys.run(self.desk, a_job(), Progress(threading.Event()))

    def questions(self, card: int = 1) -> list[QuestionRow]:
        return rows.of_account(self.desk.books, card, 10)

    def answers(self, number: int, score: int) -> bool:
        home = self.desk.homes.numbered(1)
        return surveys.answer(self.desk, home, number, score)

    def member(self, number: int = 0) -> Member:
        found = self.vault.by_id(self.desk.books, 1, self.members[number])
        assert found is not None
        return found

    def points(self, account: int = 1) -> int:
        row = self.desk.books.account(account)
        assert row is not None
        return decode_account(row.snapshot).purse["points"][AVAILABLE]


def a_job() -> Job:
    return Job(1, surveys.JOB, "", "running", 0, 0, "", 0, 1, 0, 0, "", 0, 0)


@pytest.fixture
def cafe(url: str, tmp_path: Path) -> Iterator[Cafe]:
    cafe = Cafe(url, tmp_path / "keys")
    with cafe.desk:
        yield cafe
        assert verify(cafe.desk.books).ok


def test_a_purchase_is_asked_about_once_and_a_member_not_too_often(cafe: Cafe) -> None:
    cafe.buys()
    cafe.asks()  # what was bought before is left in peace
    key = cafe.buys()
    assert cafe.look(1) == "0 questions, 0 gifts", "not yet"
    assert cafe.look(1) == "1 questions, 0 gifts"
    (asked,) = cafe.questions()
    assert (asked.event, asked.member) == (f"till/{key}", cafe.members[0])
    assert cafe.look() == "0 questions, 0 gifts"
    cafe.buys()
    assert cafe.look() == "0 questions, 0 gifts", "once in 30 days"
    cafe.now += 30 * DAY_MS
    cafe.buys()
    assert cafe.look() == "1 questions, 0 gifts"


def test_without_looking_when_it_was_a_member_is_asked_too_often(
    cafe: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: nobody looks when a member was asked last."""
    monkeypatch.setattr(rows, "asked_since", lambda books, account, since: False)
    cafe.asks()
    for _ in range(2):
        cafe.buys()
        assert cafe.look() == "1 questions, 0 gifts"


def test_two_processes_ask_once(cafe: Cafe) -> None:
    cafe.asks()
    key = f"till/{cafe.buys()}"
    cafe.now += 2 * HOUR_MS
    before = surveys.survey(cafe.desk.books, 1).entry_at
    one = [1, cafe.members[0], key, "", cafe.now, 0]
    upto = rows.newest_entry(cafe.desk.books)
    asked = [cafe.desk.chore("ask_questions", 1, before, upto, [one]) for _ in range(2)]
    assert asked == [1, 0]
    assert len(cafe.questions()) == 1


def test_who_is_asked(cafe: Cafe) -> None:
    cafe.asks(ON._replace(locations="harbour\nhill", days=1))
    cafe.tell("", Purchase((Line("1", "latte", 1, 400),), "hill"))  # nobody known
    cafe.tell("card:9", Enrol())  # a card without a person
    for card, where in (("1", "station"), ("9", "hill"), ("2", "hill")):
        cafe.buys(card, where)
    cafe.look()
    assert [len(cafe.questions(each)) for each in (1, 2, 3)] == [0, 1, 0]
    (asked,) = cafe.questions(2)
    assert cafe.desk.chore("skip_question", asked.number, True)
    cafe.now += 2 * DAY_MS
    cafe.buys("2", "hill")
    assert cafe.look() == "0 questions, 0 gifts", "never again"
    cafe.desk.chore("ask_again", 2)
    cafe.buys("2", "hill")
    assert cafe.look() == "1 questions, 0 gifts"
    other = cafe.vault.enrol(1, 1, "till/other", Person("Ole"), b"", cafe.now)
    assert other
    cafe.buys("1", "hill")
    assert cafe.look() == "0 questions, 0 gifts", "nobody knows which of two who share it bought"


def test_a_share_is_asked_and_faults_are_told(cafe: Cafe) -> None:
    half = [surveys.chosen(f"till/{n}", 50) for n in range(1_000)]
    assert 450 < sum(half) < 550
    with pytest.raises(ProgramError) as caught:
        cafe.asks(SurveyRow(1, 1, "{}", -1, 0, 101, "x" * 61, "sleep"))
    assert [each.code for each in caught.value.faults] == [
        "hours-expected", "days-expected", "share-expected", "locations-expected",
        "unknown-activity",
    ]  # fmt: skip
    assert surveys.activities(cafe.desk.homes.numbered(1).program.plan(cafe.now)) == ["answer"]


def one_asked(cafe: Cafe, row: SurveyRow = ON) -> QuestionRow:
    cafe.asks(row)
    cafe.buys()
    cafe.look()
    return cafe.questions()[0]


def test_an_answer_stands_once_and_is_told(cafe: Cafe) -> None:
    about = 1, "https://example.com/", ["survey.*"], ""
    hooks.make(cafe.desk, Seals(cafe.vault.keys), *about, lan=False)
    asked = one_asked(cafe)
    assert [cafe.answers(asked.number, each) for each in (0, 6)] == [False, False]
    assert [cafe.answers(asked.number, each) for each in (2, 5)] == [True, False]
    assert cafe.questions()[0].score == 2
    ((body,),) = cafe.desk.books.rows("SELECT body FROM delivery")
    told = json.decode(body)
    assert (told["type"], told["subject"]) == ("kantis.survey.answered.v1", "account:1")
    assert told["data"] == {
        "account": 1, "seq": 2, "event": asked.event, "answer": asked.number, "score": 2,
        "location": "",
    }  # fmt: skip
    assert not cafe.desk.chore("skip_question", asked.number, False)
    cafe.now += 31 * DAY_MS
    cafe.buys()
    cafe.look()
    late = cafe.questions()[0]
    cafe.now += surveys.OPEN_MS
    assert not cafe.answers(late.number, 5), "a question is open for thirty days"


def test_words_are_sealed_and_go_with_the_member(cafe: Cafe, tmp_path: Path) -> None:
    asked = one_asked(cafe)
    cafe.answers(asked.number, 1)
    assert answering.write(cafe.vault, asked, WORDS)
    assert not answering.write(cafe.vault, asked, "again")
    assert answering.reply(cafe.vault, asked, "We are sorry, Anna", 0, By("test", "Kaisa"))
    assert not answering.reply(cafe.vault, asked, "Me too", 0, By("other"))
    (said,) = answering.opened(cafe.vault, cafe.questions())
    assert (said.wrote, said.reply) == (WORDS, "We are sorry, Anna")
    assert answering.reply(cafe.vault, said.row, "So sorry", said.row.replied or 0, By("other"))
    for table in ("question", "audit", "event", "delivery"):
        for row in cafe.desk.books.rows(f"SELECT * FROM {table}"):
            held = b"".join(bytes(x) if isinstance(x, bytes) else str(x).encode() for x in row)
            assert b"Anna" not in held, table
    home, member = cafe.desk.homes.numbered(1), cafe.member()
    (told,) = portable.account_of(cafe.desk, cafe.vault, home, member)["answers"]
    assert (told["score"], told["text"], told["reply"]) == (1, WORDS, "So sorry")
    sealed = cafe.questions()
    membership.erase(cafe.desk, cafe.vault, home, member, "test")
    assert [each.wrote for each in cafe.questions()] == [None]
    (old,) = answering.opened(cafe.vault, sealed)  # as a copy of the books from before has it
    assert (old.wrote, old.reply, old.row.score) == ("", "", 1)


def test_a_merged_member_keeps_what_was_said(cafe: Cafe) -> None:
    asked = one_asked(cafe)
    cafe.answers(asked.number, 3)
    answering.write(cafe.vault, asked, WORDS)
    mine = become_one(cafe)
    (said,) = answering.opened(cafe.vault, cafe.questions(mine.row.account))
    assert (said.wrote, said.row.member) == (WORDS, cafe.members[1])


def test_nothing_stays_of_words_that_nobody_takes_over(cafe: Cafe) -> None:
    """Where several share the account that lives on, the member leaves with the merge."""
    asked = one_asked(cafe)
    cafe.answers(asked.number, 3)
    answering.write(cafe.vault, asked, WORDS)
    become_one(cafe, known=False)
    assert [(each.wrote, each.score) for each in cafe.questions()] == [(None, 3)]


def become_one(cafe: Cafe, *, known: bool = True) -> Member:
    """The first card becomes a part of the second one; the member who lives on."""
    home, mine, other = cafe.desk.homes.numbered(1), cafe.member(1), cafe.member(0)
    into, of = merging.accounts(mine, other)
    cafe.desk.submit(merging.merging_of(cafe.desk, home, into, of), program="cafe")
    while cafe.desk.settle():
        pass
    merging.finish(cafe.desk, cafe.vault, home, into, of, "test", mine if known else None, other)
    return mine


def test_of_a_card_of_nobody_the_one_who_comes_is_the_member(cafe: Cafe) -> None:
    """With all that is known of them, and all that they said; done again, it stays so."""
    asked = one_asked(cafe)
    cafe.answers(asked.number, 2)
    answering.write(cafe.vault, asked, WORDS)
    nameless, home = cafe.tell("card:nobody's", Enrol()), cafe.desk.homes.numbered(1)
    before, of = cafe.member(), cafe.member().row.account
    passkey = PasskeyRow(0, b"h" * 32, before.row.id, of, b"sealed", 0, 0, None)
    passkeys.add(cafe.desk.books, passkey)
    cafe.desk.submit(merging.merging_of(cafe.desk, home, nameless, of), program="cafe")
    while cafe.desk.settle():
        pass
    for other in (before, None):  # it was stopped, and is done again
        merging.finish(cafe.desk, cafe.vault, home, nameless, of, "test", None, other)
    after = cafe.member()
    assert (after.person, after.row.account) == (before.person, nameless)
    (found,) = cafe.vault.by_email(cafe.desk.books, 1, "1@example.org")
    assert found.row.id == before.row.id
    (kept,) = answering.kept(cafe.desk.books, cafe.vault, after)
    assert kept["text"] == WORDS
    assert [each.member for each in cafe.questions(nameless)] == [before.row.id]
    assert [each.account for each in passkeys.of_member(cafe.desk.books, before.row.id)] == [
        nameless
    ]
    membership.erase(cafe.desk, cafe.vault, home, after, "test")
    assert cafe.member().person is None


GIVES = ON._replace(activity="answer")


def test_an_answer_brings_points_once(cafe: Cafe) -> None:
    asked = one_asked(cafe, GIVES)
    assert cafe.points() == 4
    cafe.answers(asked.number, 5)
    assert cafe.look(0) == "0 questions, 1 gifts"
    cafe.desk.chore("note_gift", asked.number, rows.GIVEN, rows.OWED)  # died before it was noted
    assert cafe.look(0) == "0 questions, 1 gifts"
    assert cafe.points() == 14


def test_a_gift_that_was_noted_only_by_its_event_would_come_twice(
    cafe: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: each time it is sent it has another id."""
    asked = one_asked(cafe, GIVES)
    cafe.answers(asked.number, 5)
    cafe.look(0)
    cafe.desk.chore("note_gift", asked.number, rows.GIVEN, rows.OWED)
    monkeypatch.setattr(gifts, "SOURCE", "surveys again")
    cafe.look(0)
    assert cafe.points() == 24


def came_back(cafe: Cafe) -> str:
    return gifts.take_back(cafe.desk, a_job(), Progress(threading.Event()))


def test_what_came_back_brings_nothing(cafe: Cafe) -> None:
    asked = one_asked(cafe, GIVES)
    cafe.tell("", Refund(asked.event.removeprefix("till/")))
    cafe.answers(asked.number, 5)
    assert cafe.look(0) == "0 questions, 0 gifts"
    assert cafe.points() == 0


@pytest.mark.parametrize("answered", ["before", "after"])
def test_what_comes_back_after_a_merge_brings_nothing(cafe: Cafe, answered: str) -> None:
    """The refund stands on the account that lives on, the purchase on the other one."""
    asked = one_asked(cafe, GIVES)
    if answered == "before":
        cafe.answers(asked.number, 5)
        cafe.look(0)
    account = become_one(cafe).row.account
    cafe.tell("", Refund(asked.event.removeprefix("till/")))
    if answered == "after":
        cafe.answers(asked.number, 5)
    assert cafe.look(0) == "0 questions, 0 gifts"
    assert came_back(cafe) == ("1 gifts taken back" if answered == "before" else "")
    cafe.desk.settle()
    assert cafe.points(account) == 0


@pytest.mark.parametrize(
    ("parts", "reason", "left"),
    [
        ([()], "refund", 0),
        ([()], EDITED, 10),
        ([(("1", 1),)], "refund", 10),
        ([(("1", 2),)], "refund", 0),
        ([(("1", 1),), (("1", 1),)], "refund", 0),
    ],
    ids=["the whole", "recorded anew", "one of two", "by its line", "bit by bit"],
)
def test_what_comes_back_later_takes_the_points_along(
    cafe: Cafe, parts: list[tuple[tuple[str, int], ...]], reason: str, left: int
) -> None:
    asked = one_asked(cafe, GIVES)
    cafe.answers(asked.number, 5)
    cafe.look(0)
    for lines in parts:
        cafe.tell("", Refund(asked.event.removeprefix("till/"), lines, "", reason))
    left += 2 if len(parts) == 1 and parts[0] == (("1", 1),) else 0  # of the other latte
    assert came_back(cafe) == ("1 gifts taken back" if not left else "")
    assert came_back(cafe) == ""
    assert cafe.points() == left


def test_the_inbox_and_the_measure(cafe: Cafe) -> None:
    cafe.asks(ON._replace(days=1))
    for day, (card, where, score) in enumerate(
        [("1", "hill", 5), ("2", "hill", 1), ("1", "harbour", 4), ("2", "harbour", 0)]
    ):
        cafe.now = START + day * 2 * DAY_MS
        cafe.buys(card, where)
        cafe.look()
        if score:
            cafe.answers(cafe.questions(int(card))[0].number, score)
    books = cafe.desk.books
    every = rows.answers(books, 1, Filter(), 0, 10)
    assert [each.score for each in every] == [4, 1, 5]
    assert [x.score for x in rows.answers(books, 1, Filter(), every[0].number, 1)] == [1]
    assert rows.answers(books, 1, Filter((1, 2), "harbour"), 0, 10) == []
    answering.reply(cafe.vault, every[1], "Sorry", 0, By("test"))
    assert [x.score for x in rows.answers(books, 1, Filter((), "", True), 0, 10)] == [4, 5]
    assert rows.locations(books, 1) == ["harbour", "hill"]
    cafe.desk.checkpoint()
    catch_up(cafe.desk)
    home = cafe.desk.homes.numbered(1)
    board = panels.board(figures.measure(books, home), home.program.units, 12)
    (panel,) = [x for x in board.panels if x.key == definitions.ANSWERS.key]
    (row,) = panel.rows
    assert [(each.value, each.of) for each in row if each][1:] == [
        (4, 1), (3, 1), (10, 3), (2, 3), (1, 3),
    ]  # fmt: skip
