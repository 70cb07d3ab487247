"""Surveys: what members are asked after a purchase, and what they said, in the books.

A row of ``question`` is one purchase that somebody is asked about. The score stands there as it
is, since it counts; what was written, by the member and by the merchant, stands there sealed
under the key of the member, which is not in the books.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading
    from kantis.store.rows import Row

#: What became of a question: nothing yet, it was answered, it was passed over.
OPEN: Final = 0
ANSWERED: Final = 1
SKIPPED: Final = 2
#: What the program gives for an answer: nothing, it is to be sent, it was sent, it was taken back.
NOTHING: Final = 0
OWED: Final = 1
GIVEN: Final = 2
TAKEN: Final = 3

TABLES: Final = """
CREATE TABLE survey (
    program {int} PRIMARY KEY,
    live {bit} NOT NULL CHECK (live IN (0, 1)),
    wording {text} NOT NULL,
    hours {int} NOT NULL CHECK (hours >= 0),
    days {int} NOT NULL CHECK (days > 0),
    share {int} NOT NULL CHECK (share BETWEEN 1 AND 100),
    locations {text} NOT NULL,
    activity {text} NOT NULL,
    entry_at {int} NOT NULL
){end};

CREATE TABLE question (
    number {counted} PRIMARY KEY,
    program {int} NOT NULL,
    account {int} NOT NULL,
    member {text} NOT NULL,
    event {text} NOT NULL UNIQUE,
    location {text} NOT NULL,
    bought {int} NOT NULL,
    asked {int} NOT NULL,
    asked_month {int} NOT NULL,
    state {bit} NOT NULL CHECK (state IN (0, 1, 2)),
    score {int},
    answered {int},
    month {int},
    gift {bit} NOT NULL CHECK (gift IN (0, 1, 2, 3)),
    wrote {bytes},
    reply {bytes},
    replied {int},
    replier {text},
    CHECK ((state = 1) = (score IS NOT NULL))
){end};
CREATE INDEX question_account ON question (account, asked);
CREATE INDEX question_member ON question (member);
CREATE INDEX question_answered ON question (program, answered, number) WHERE answered IS NOT NULL;
CREATE INDEX question_asked ON question (program, asked_month);
CREATE INDEX question_gift ON question (gift) WHERE gift IN (1, 2);

CREATE TABLE unasked (
    account {int} PRIMARY KEY
){end};

CREATE TABLE question_mail (
    mail {int} PRIMARY KEY,
    question {int} NOT NULL,
    begun {bit} NOT NULL CHECK (begun IN (0, 1))
){end};
CREATE INDEX question_mail_question ON question_mail (question);
"""


class SurveyRow(NamedTuple):
    """How a program asks after purchases. ``wording`` is JSON by language, empty for the usual
    words; ``hours`` after a purchase, at most once in so many ``days``, a ``share`` of purchases
    in percent; ``locations`` one a line, empty for all; ``activity`` is what an answer is sent as
    to the program, empty for nothing. ``entry_at`` is the entry up to which was looked."""

    program: int
    live: int
    wording: str
    hours: int
    days: int
    share: int
    locations: str
    activity: str
    entry_at: int = 0


class QuestionRow(NamedTuple):
    """A purchase that a member is asked about, and what came of it."""

    number: int
    program: int
    account: int
    member: str
    event: str
    location: str
    bought: int
    asked: int
    asked_month: int
    state: int
    score: int | None
    answered: int | None
    month: int | None
    gift: int
    wrote: bytes | None
    reply: bytes | None
    replied: int | None
    replier: str | None


_SURVEY: Final = ", ".join(SurveyRow._fields)
_QUESTION: Final = ", ".join(f"q.{each}" for each in QuestionRow._fields)


# ── how a program asks ───────────────────────────────────────────────────────


def surveys(books: Reading, program: int = 0) -> list[SurveyRow]:
    """How a program, or (0) each that was ever set up, asks."""
    found = books.rows(
        f"SELECT {_SURVEY} FROM survey WHERE ? IN (0, program) ORDER BY program", (program,)
    )
    return [SurveyRow(*row) for row in found]


def put(books: Books, row: SurveyRow) -> None:
    """A program asks in this way from now on."""
    books.execute("DELETE FROM survey WHERE program = ?", (row.program,))
    books.insert("survey", row._asdict())


def move_on(books: Books, program: int, before: int, upto: int) -> bool:
    """Note up to which entry was looked; ``False`` when somebody else was faster."""
    return bool(
        books.execute(
            "UPDATE survey SET entry_at = ? WHERE program = ? AND entry_at = ?",
            (upto, program, before),
        )
    )


def entries(books: Reading, program: int, above: int, upto: int, count: int) -> list[Row]:
    """(n, booked, key, type, subject, imported, body) of the next entries of a program."""
    return books.rows(
        "SELECT x.n, x.booked, x.event, e.type, e.subject, e.imported, e.body FROM entry x "
        "JOIN account a ON a.id = x.account LEFT JOIN event e ON e.key = x.event "
        "WHERE x.n > ? AND x.n <= ? AND a.program = ? ORDER BY x.n LIMIT ?",
        (above, upto, program, count),
    )


def newest_entry(books: Reading) -> int:
    """The number of the newest entry."""
    return int(books.one("SELECT coalesce(max(n), 0) FROM entry"))


# ── questions ────────────────────────────────────────────────────────────────


def add(books: Books, row: QuestionRow) -> int:
    """Ask, whatever number stands in the row; the number, 0 where the purchase was asked about
    before."""
    if books.rows("SELECT 1 FROM question WHERE event = ?", (row.event,)):
        return 0
    return books.insert_counted("question", row._asdict())


def asked_since(books: Reading, account: int, since: int) -> bool:
    """Whether the member of an account was asked after an instant."""
    return bool(
        books.rows(
            "SELECT 1 FROM question WHERE account = ? AND asked > ? LIMIT 1", (account, since)
        )
    )


def question(books: Reading, number: int) -> QuestionRow | None:
    """A question by its number."""
    found = books.rows(f"SELECT {_QUESTION} FROM question q WHERE q.number = ?", (number,))
    return QuestionRow(*found[0]) if found else None


def of_account(books: Reading, account: int, count: int) -> list[QuestionRow]:
    """The newest questions to the member of an account."""
    found = books.rows(
        f"SELECT {_QUESTION} FROM question q WHERE q.account = ? ORDER BY q.asked DESC, "
        "q.number DESC LIMIT ?",
        (account, count),
    )
    return [QuestionRow(*row) for row in found]


def of_events(books: Reading, account: int, events: Iterable[str]) -> list[QuestionRow]:
    """The questions to the member of an account about some purchases."""
    found = books.rows(
        f"SELECT {_QUESTION} FROM {books.wanted['t']} question q "
        "WHERE q.event = j.a AND q.account = ?",
        (*books.keyed("t", [(each,) for each in events]), account),
    )
    return [QuestionRow(*row) for row in found]


def of_member(books: Reading, member: str) -> list[QuestionRow]:
    """All questions to a member, the oldest first."""
    found = books.rows(
        f"SELECT {_QUESTION} FROM question q WHERE q.member = ? ORDER BY q.number", (member,)
    )
    return [QuestionRow(*row) for row in found]


def answer(books: Books, number: int, score: int, now: int, month: int, gift: int) -> bool:
    """A member gives a score; ``False`` where the question is not open any more."""
    return bool(
        books.execute(
            "UPDATE question SET state = ?, score = ?, answered = ?, month = ?, gift = ? "
            "WHERE number = ? AND state = ?",
            (ANSWERED, score, now, month, gift, number, OPEN),
        )
    )


def write(books: Books, number: int, data: bytes) -> bool:
    """What a member wrote beside the score, sealed; it is written once."""
    return bool(
        books.execute(
            "UPDATE question SET wrote = ? WHERE number = ? AND state = ? AND wrote IS NULL",
            (data, number, ANSWERED),
        )
    )


def skip(books: Books, number: int) -> bool:
    """A member passes a question over."""
    return bool(
        books.execute(
            "UPDATE question SET state = ? WHERE number = ? AND state = ?", (SKIPPED, number, OPEN)
        )
    )


def reply(books: Books, number: int, data: bytes, seen: int, now: int, who: str) -> bool:
    """The merchant replies, sealed; ``False`` where somebody has replied since the one that was
    ``seen`` (0: none)."""
    return bool(
        books.execute(
            "UPDATE question SET reply = ?, replied = ?, replier = ? "
            "WHERE number = ? AND state = ? AND coalesce(replied, 0) = ?",
            (data, now, who, number, ANSWERED, seen),
        )
    )


def gifts(books: Reading, gift: int, count: int) -> list[QuestionRow]:
    """Answers with a gift in that state."""
    found = books.rows(
        f"SELECT {_QUESTION} FROM question q WHERE q.gift = ? ORDER BY q.number LIMIT ?",
        (gift, count),
    )
    return [QuestionRow(*row) for row in found]


def given_back(books: Reading, since: int) -> list[int]:
    """The answers from after an instant that were given something, and of whose purchases
    something came back: on the account of then, or after a merge on that of the question."""
    found = books.rows(
        "SELECT DISTINCT q.number FROM question q JOIN event e ON e.key = q.event "
        "JOIN entry x ON x.account IN (e.account, q.account) AND x.cause = q.event "
        "WHERE q.gift = ? AND q.answered > ? AND x.cause <> '' ORDER BY q.number",
        (GIVEN, since),
    )
    return [number for (number,) in found]


def set_gift(books: Books, number: int, before: int, gift: int) -> bool:
    """Note what became of the gift for an answer."""
    return bool(
        books.execute(
            "UPDATE question SET gift = ? WHERE number = ? AND gift = ?", (gift, number, before)
        )
    )


def move(books: Books, number: int, account: int, member: str, wrote: bytes | None,
         reply: bytes | None) -> None:  # fmt: skip
    """A question belongs to another member from now on, with what was written sealed anew."""
    books.execute(
        "UPDATE question SET account = ?, member = ?, wrote = ?, reply = ? WHERE number = ?",
        (account, member, wrote, reply, number),
    )


def forget(books: Books, member: str) -> None:
    """Nobody asks a member any more, and nothing stays of what was written."""
    books.execute(
        "UPDATE question SET wrote = NULL, reply = NULL, "
        "state = CASE WHEN state = ? THEN ? ELSE state END WHERE member = ?",
        (OPEN, SKIPPED, member),
    )


# ── the merchant's inbox, and what counts ────────────────────────────────────


class Filter(NamedTuple):
    """Which answers: with one of these scores (empty: any), of this location, without a reply,
    of the member of this account (0: of any)."""

    scores: tuple[int, ...] = ()
    location: str = ""
    unreplied: bool = False
    account: int = 0


def answers(books: Reading, program: int, wanted: Filter, below: int, count: int) -> (
    list[QuestionRow]
):  # fmt: skip
    """Answers, the newest first, from behind the one with the number ``below`` on (0: from the
    newest)."""
    where = ["q.program = ?", "q.answered IS NOT NULL"]
    about: list[int | str] = [program]
    if below:
        row = "SELECT b.answered, b.number FROM question b WHERE b.number = ? AND b.program = ?"
        where.append(f"(q.answered, q.number) < ({row})")
        about += [below, program]
    if wanted.scores:
        where.append(f"q.score IN ({', '.join('?' * len(wanted.scores))})")
        about += wanted.scores
    if wanted.location:
        where.append("q.location = ?")
        about.append(wanted.location)
    if wanted.account:
        where.append("q.account = ?")
        about.append(wanted.account)
    if wanted.unreplied:
        where.append("q.replied IS NULL")
    found = books.rows(
        f"SELECT {_QUESTION} FROM question q WHERE {' AND '.join(where)} "
        "ORDER BY q.answered DESC, q.number DESC LIMIT ?",
        (*about, count),
    )
    return [QuestionRow(*row) for row in found]


def locations(books: Reading, program: int) -> list[str]:
    """The locations that there are answers about."""
    found = books.rows(
        "SELECT DISTINCT location FROM question WHERE program = ? AND answered IS NOT NULL "
        "AND location <> '' ORDER BY location",
        (program,),
    )
    return [row[0] for row in found]


def asked_by_month(books: Reading, program: int) -> dict[int, int]:
    """How many were asked, by the first day of the month."""
    found = books.rows(
        "SELECT asked_month, count(*) FROM question WHERE program = ? GROUP BY asked_month",
        (program,),
    )
    return dict(found)


def scores_by_month(books: Reading, program: int) -> list[tuple[int, int, int]]:
    """(first day of the month, score, how many) of all answers."""
    found = books.rows(
        "SELECT month, score, count(*) FROM question WHERE program = ? AND answered IS NOT NULL "
        "GROUP BY month, score ORDER BY month, score",
        (program,),
    )
    return [tuple(row) for row in found]


# ── who is not asked, and letters ────────────────────────────────────────────


def is_unasked(books: Reading, account: int) -> bool:
    """Whether a member wants no questions."""
    return bool(books.rows("SELECT 1 FROM unasked WHERE account = ?", (account,)))


def unask(books: Books, account: int, *, never: bool) -> None:
    """A member wants no questions any more, or wants them again."""
    books.execute("DELETE FROM unasked WHERE account = ?", (account,))
    if never:
        books.insert("unasked", {"account": account})


def add_mail(books: Books, mail: int, number: int) -> None:
    """A letter is about a question."""
    books.insert("question_mail", {"mail": mail, "question": number, "begun": 0})


def of_mail(books: Reading, mail: int) -> QuestionRow | None:
    """The question that a letter is about."""
    found = books.rows(
        f"SELECT {_QUESTION} FROM question_mail m JOIN question q ON q.number = m.question "
        "WHERE m.mail = ?",
        (mail,),
    )
    return QuestionRow(*found[0]) if found else None


def begin(books: Books, mail: int, *, begun: bool) -> bool:
    """A letter leaves now, or it did not leave; ``False`` when it was so before."""
    return bool(
        books.execute(
            "UPDATE question_mail SET begun = ? WHERE mail = ? AND begun = ?",
            (int(begun), mail, int(not begun)),
        )
    )


def drop_mail(books: Books, mail: int) -> None:
    """A letter is out of the house, or nobody gets it."""
    books.execute("DELETE FROM question_mail WHERE mail = ?", (mail,))
