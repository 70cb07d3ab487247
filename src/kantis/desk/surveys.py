"""Surveys: members are asked after a purchase, once in a while, and what they say reaches the
merchant.

Guarantee: a purchase is asked about once at most, and a member no more often than the merchant
has said, whatever processes look at once; who wants no questions gets none. A question is
answered once.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, json

from kantis.core.calendar import DAY_MS, window_start
from kantis.core.events import Purchase, decode_body
from kantis.core.knobs import Fault, ProgramError
from kantis.desk import gifts, jobs, mailing, outbox
from kantis.desk.audit import By, alone, record
from kantis.desk.beside import beside
from kantis.desk.chores import chore
from kantis.desk.drawing import HUNDREDTHS, drawn
from kantis.desk.notices import Notice
from kantis.desk.programs import Home
from kantis.engine.plan import Plan
from kantis.store import mailing as mails
from kantis.store import people, reminding
from kantis.store import surveys as rows
from kantis.store.books import Books
from kantis.store.mailing import MailRow
from kantis.store.reading import Reading
from kantis.store.surveys import OPEN, OWED, QuestionRow, SurveyRow

if TYPE_CHECKING:
    from kantis.desk.jobs import Job, Progress
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

#: The scores that a member can give, the worst first.
SCORES: Final = (1, 2, 3, 4, 5)
#: Of these a member is satisfied, and of those not.
GOOD: Final = (4, 5)
POOR: Final = (1, 2)
#: Letters of what a member writes, of what the merchant replies, and of the question itself.
WROTE_MAX: Final = 1_000
REPLY_MAX: Final = 2_000
WORDING_MAX: Final = 120
#: A question is open for so long.
OPEN_MS: Final = 30 * DAY_MS
#: A purchase that is found so long after it was to be asked about is left in peace.
LATE_MS: Final = 7 * DAY_MS
#: A reply stands on the card for so long; so many questions are looked at for it.
NEWS_MS: Final = 14 * DAY_MS
NEWS_MAX: Final = 5
HOURS_MAX: Final = 14 * 24
DAYS_MAX: Final = 365
LOCATIONS_MAX: Final = 100
_LOCATION_MAX: Final = 60
#: What a program begins with.
USUAL: Final = SurveyRow(0, 0, "{}", 2, 30, 100, "", "")
#: What a letter is for that asks, and one that brings a reply.
ASKING: Final = "question"
REPLYING: Final = "reply"
#: The kind under which a member wishes such letters, beside those of reminders.
WISH: Final = "question"
#: The kind of the job.
JOB: Final = "surveys"
EVERY_MS: Final = 60_000
#: Entries that are looked at together.
STEP: Final = 1_000
_PAUSE_S: Final = 0.005
_PARTS: Final = 100


class Candidate(Struct, array_like=True):
    """A purchase that may be asked about: by which account, which member, and when."""

    account: int
    member: str
    event: str
    location: str
    bought: int
    month: int


# ── how a program asks ───────────────────────────────────────────────────────


def survey(books: Reading, program: int) -> SurveyRow:
    """How a program asks; the usual way, switched off, where nobody has set anything."""
    found = rows.surveys(books, program)
    return found[0] if found else USUAL._replace(program=program)


def activities(plan: Plan) -> list[str]:
    """What an answer can be sent as: the activities that an earning rule is for."""
    others = {"purchase", "enrol", "birthday"}
    return sorted(set(plan.earning.by_event) - others)


def check(plan: Plan, row: SurveyRow) -> list[str]:
    """The codes of what is wrong with the way in which a program is to ask."""
    faults = []
    if not 0 <= row.hours <= HOURS_MAX:
        faults.append("hours-expected")
    if not 0 < row.days <= DAYS_MAX:
        faults.append("days-expected")
    if not 0 < row.share <= _PARTS:
        faults.append("share-expected")
    places = row.locations.splitlines()
    if len(places) > LOCATIONS_MAX or any(len(each) > _LOCATION_MAX for each in places):
        faults.append("locations-expected")
    if row.activity and row.activity not in activities(plan):
        faults.append("unknown-activity")
    return faults


def put(desk: Desk, row: SurveyRow, by: By) -> None:
    """A program asks in this way from now on; ``ProgramError`` with what is wrong with it.

    Purchases from before it was switched on are not asked about.
    """
    with alone(desk) as books:
        desk.homes.refresh(books)
        plan = desk.homes.numbered(row.program).program.plan(desk.clock())
        faults = check(plan, row)
        if faults:
            raise ProgramError([Fault(each, "Nobody can be asked like this.") for each in faults])
        before = survey(books, row.program)
        begins = row.live and not before.live
        entry = rows.newest_entry(books) if begins else before.entry_at
        rows.put(books, row._replace(entry_at=entry))
        jobs.hasten(books, desk.clock(), JOB)
        said = {name: getattr(row, name) for name in ("live", "hours", "days", "share")}
        record(books, desk.clock(), by, row.program, "survey", "", **said)


# ── who is asked ─────────────────────────────────────────────────────────────


def chosen(event: str, share: int) -> bool:
    """Whether a purchase is among a share of all, in percent; the same for the same one.

    >>> [chosen("till-1/4711", share) for share in (1, 50, 100)]
    [False, True, True]
    """
    return drawn(event) * _PARTS < share * HUNDREDTHS


def run(desk: Desk | RemoteDesk, job: Job, progress: Progress) -> str:
    """Ask about the purchases for which it is time, and send what answers bring; how many."""
    with desk.books.reader() as books:
        found = rows.surveys(books)
    if not found:
        return ""
    with beside(desk) as reader:
        asked = sum(_ask(desk, reader, row, progress) for row in found if row.live)
        given = gifts.give(desk, reader)
    return f"{asked} questions, {given} gifts"


def _ask(desk: Desk | RemoteDesk, reader: Desk, row: SurveyRow, progress: Progress) -> int:
    """Ask about the purchases of a program whose time has come; how many questions."""
    books, home, now = reader.books, reader.homes.numbered(row.program), reader.clock()
    horizon = books.horizon()
    due, above, asked = now - row.hours * 3_600_000, row.entry_at, 0
    month = window_start("month", home.program.calendar.day(now))
    while horizon is not None and above < horizon[0]:
        found = rows.entries(books, row.program, above, horizon[0], STEP)
        ripe = list(takewhile(lambda each: each[1] <= due, found))
        if found and not ripe:
            break
        upto = ripe[-1][0] if len(ripe) < len(found) or len(found) == STEP else horizon[0]
        wanted = _candidates(books, row, ripe, due, month)
        if wanted or upto - above >= STEP:  # otherwise it is looked at again, not written down
            asked += desk.chore("ask_questions", row.program, above, upto, wanted)
        if len(ripe) < STEP or progress.pause(_PAUSE_S):
            break
        above = upto
    return asked


def _candidates(
    books: Books, row: SurveyRow, found: list[Any], due: int, month: int
) -> list[Candidate]:
    """The purchases among entries of somebody who can be asked about them."""
    places, bought = set(row.locations.splitlines()), []
    for _, booked, event, kind, subject, imported, body in found:
        if kind != "purchase" or imported or not body or booked <= due - LATE_MS:
            continue
        if not subject or not chosen(event, row.share):
            continue
        purchase = decode_body(bytes(body))
        assert isinstance(purchase, Purchase)
        if not places or purchase.location in places:
            bought.append((subject, event, purchase.location, booked))
    owners = _owners(books, row.program, {subject for subject, *_ in bought})
    return [
        Candidate(*owners[subject], event, location, at, month)
        for subject, event, location, at in bought
        if subject in owners
    ]


def _owners(books: Books, program: int, subjects: set[str]) -> dict[str, tuple[int, str]]:
    """The account and the member of each subject; of a card its own account, also where the
    points are a household's. Who shares an account, or is nobody known, is not there."""
    cards = [(program, x.removeprefix("card:")) for x in subjects if x.startswith("card:")]
    accounts = {f"card:{token}": n for (_, token), n in books.cards(cards).items()}
    for each in subjects:
        number = each.removeprefix("account:")
        if number != each and number.isdecimal():
            accounts[each] = int(number)
    known: dict[int, list[str]] = {}
    for member in people.by_account(books, sorted(set(accounts.values()))):
        known.setdefault(member.account, []).append(member.id if member.sealed else "")
    alone_there = {n: ids[0] for n, ids in known.items() if len(ids) == 1 and ids[0]}
    return {x: (n, alone_there[n]) for x, n in accounts.items() if n in alone_there}


@chore
def ask_questions(
    books: Books, now: int, program: int, before: int, upto: int, wanted: list[Any]
) -> int:
    """Ask about purchases, and note up to where was looked; how many questions. None where
    another process was faster, or the program asks nobody any more."""
    found = rows.surveys(books, program)
    if not found or not found[0].live or not rows.move_on(books, program, before, upto):
        return 0
    asked, since = 0, now - found[0].days * DAY_MS
    for each in wanted:
        one = Candidate(*each) if isinstance(each, list | tuple) else each
        account = one.account
        if rows.is_unasked(books, account) or rows.asked_since(books, account, since):
            continue
        number = rows.add(books, QuestionRow(
            0, program, account, one.member, one.event, one.location, one.bought, now, one.month,
            OPEN, None, None, None, rows.NOTHING, None, None, None, None,
        ))  # fmt: skip
        if number:
            asked += 1
            _write_to(books, now, ASKING, program, account, number)
    return asked


def _write_to(
    books: Books, now: int, purpose: str, program: int, account: int, number: int
) -> None:
    """Ask for a letter about a question, to whoever wishes such letters."""
    if WISH in reminding.wished(books, account):
        mail = mails.add(books, MailRow(0, program, purpose, b"", account, "", now, 0))
        rows.add_mail(books, mail, number)
        jobs.ask_job(books, now, now, mailing.JOB, str(mail))


# ── what members see ─────────────────────────────────────────────────────────


def member_of(books: Reading, account: int) -> str:
    """The member who alone has an account; empty where several do, or nobody known."""
    found = people.by_account(books, [account])
    return found[0].id if len(found) == 1 and found[0].sealed else ""


def own(books: Reading, account: int, found: Iterable[QuestionRow]) -> list[QuestionRow]:
    """Of some questions those that are shown to whoever is signed in to an account: the ones
    that they were asked themselves."""
    member = member_of(books, account)
    return [each for each in found if each.account == account and each.member == member]


def news(books: Reading, account: int, now: int) -> list[QuestionRow]:
    """What stands on the card of a member: a question that is open, and new replies."""
    found = own(books, account, rows.of_account(books, account, NEWS_MAX))
    replied = [each for each in found if each.replied and now < each.replied + NEWS_MS]
    return [each for each in found if is_open(each, now)][:1] + replied


def wording(row: SurveyRow) -> dict[str, str]:
    """The question by language, in the words of the merchant."""
    found: dict[str, str] = json.decode(row.wording)
    return found


# ── what members say ─────────────────────────────────────────────────────────


def is_open(row: QuestionRow, now: int) -> bool:
    """Whether a question can still be answered."""
    return row.state == OPEN and now < row.asked + OPEN_MS


def may_write(row: QuestionRow, now: int) -> bool:
    """Whether words can still be added to an answer."""
    return row.state == rows.ANSWERED and row.wrote is None and now < row.asked + OPEN_MS


def answer(desk: Desk | RemoteDesk, home: Home, number: int, score: int) -> bool:
    """A member gives a score; ``False`` where that is none, or the question is not open."""
    month = window_start("month", home.program.calendar.day(desk.clock()))
    return bool(desk.chore("answer_question", number, score, month))


@chore
def answer_question(books: Books, now: int, number: int, score: int, month: int) -> bool:
    """Write an answer down, tell webhooks of it, and note what it is to bring."""
    row = rows.question(books, number)
    if row is None or score not in SCORES or not is_open(row, now):
        return False
    gift = OWED if survey(books, row.program).activity else rows.NOTHING
    if not rows.answer(books, number, score, now, month, gift):
        return False
    if gift == OWED:
        jobs.hasten(books, now, JOB)
    (bought,) = books.events([row.event])
    said = {"answer": number, "score": score, "location": row.location}
    about = {"account": bought.account or row.account, "seq": bought.seq or 0, "event": row.event}
    notice = Notice("survey.answered", said)
    outbox.announce(books, row.program, f"answer-{number}", notice, about, now)
    return True


@chore
def skip_question(books: Books, _: int, number: int, never: bool) -> bool:
    """A member passes a question over, and perhaps wants none any more."""
    row = rows.question(books, number)
    if row is None:
        return False
    if never:
        rows.unask(books, row.account, never=True)
    return rows.skip(books, number)


@chore
def ask_again(books: Books, _: int, account: int) -> None:
    """A member wants to be asked again."""
    rows.unask(books, account, never=False)


@chore
def write_answer(books: Books, now: int, number: int, data: bytes) -> bool:
    """What a member has written, sealed, is added to the score."""
    row = rows.question(books, number)
    return row is not None and may_write(row, now) and rows.write(books, number, data)


@chore
def reply_answer(
    books: Books, now: int, number: int, data: bytes, seen: int, who: str, name: str
) -> bool:
    """The merchant's reply, sealed, with its line in the audit log; ``False`` where somebody has
    replied since the one that was ``seen``. The member hears of the first one by letter."""
    row = rows.question(books, number)
    if row is None or not rows.reply(books, number, data, seen, now, name or who):
        return False
    record(books, now, By(who, name), row.program, "reply", str(number), again=bool(seen))
    if not seen:
        _write_to(books, now, REPLYING, row.program, row.account, number)
    return True


@chore
def begin_question_mail(books: Books, _: int, mail: int, begun: bool) -> bool:
    """The letter leaves now, or did not leave; ``False`` when that was said before."""
    return rows.begin(books, mail, begun=begun)


@chore
def end_question_mail(books: Books, _: int, mail: int) -> None:
    """A letter is out of the house, or nobody gets it."""
    rows.drop_mail(books, mail)
    mails.drop(books, mail)


@chore
def forget_answers(books: Books, _: int, member: str) -> None:
    """Nothing stays of what was written by a member, or to one; the scores do."""
    rows.forget(books, member)


@chore
def move_answers(books: Books, _: int, moved: list[Any]) -> None:
    """Answers belong to another member from now on, sealed anew."""
    for number, account, member, wrote, reply in moved:
        rows.move(books, number, account, member, wrote, reply)
