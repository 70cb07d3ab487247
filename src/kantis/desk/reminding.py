"""Reminding: what ends soon, told to members who wish it and to webhooks that ask for it.

Guarantee: nobody is reminded who has not asked for it, each kind by itself. Of one thing and
its last day a member gets one letter, also when a process dies at any moment: that they are
told is written with the letter's row, and that the letter leaves is written before it does; so
in the worst case a reminder is missing, and none comes twice. A webhook is told once of each
thing and its last day, under an id that says which.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from kantis.core.account import Account
from kantis.core.calendar import DAY_MS, show_day
from kantis.desk import household, jobs, lately, mailing, notices, outbox
from kantis.desk.beside import beside
from kantis.desk.chores import chore
from kantis.desk.notices import Notice
from kantis.desk.programs import Home
from kantis.desk.showing import left_of, now_of
from kantis.engine import reach
from kantis.features.balances import end_of
from kantis.store import mailing as mails
from kantis.store import reminding as rows
from kantis.store.books import Books
from kantis.store.mailing import MailRow
from kantis.store.outgoing import ACTIVE
from kantis.store.reminding import EndRow
from kantis.store.rows import AccountRow

if TYPE_CHECKING:
    from kantis.desk.jobs import Job, Progress
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

#: The kinds of things that end, each with its notice.
KINDS: Final = {
    "points": "points.ending",
    "voucher": "voucher.ending",
    "level": "tier.ending",
    "offer": "offer.ending",
}
#: So many days before, as members may choose.
DAYS: Final = (3, 7, 14, 30)
#: The kind of the job that looks for what ends.
JOB: Final = "reminders"
#: What a letter of this kind is for.
REMINDER: Final = "reminder"
#: Webhooks are told so many days before.
TOLD_DAYS: Final = 14
EVERY_MS: Final = 3_600_000
_STEP: Final = 200
_PAUSE_S: Final = 0.01


class End(Struct, frozen=True):
    """Something that ends: the row by which it is known, what it is called in the program, and
    what of it is told to webhooks."""

    row: EndRow
    name: str
    data: dict[str, Any]


# ── what ends ────────────────────────────────────────────────────────────────


def ends(books: Books, home: Home, row: AccountRow, now: int, days: dict[str, int]) -> list[End]:
    """What ends for an account from today to so many days on, by kind, the soonest first."""
    state = now_of(home, row, now)
    if not state.joined:
        return []
    today = home.program.calendar.day(max(now, state.at))
    found = [
        each
        for kind, last, each in _all(books, home, state, max(now, state.at), days)
        if today <= last <= today + days[kind]
    ]
    return sorted(found, key=lambda each: each.row.last)


def _all(
    books: Books, home: Home, state: Account, now: int, kinds: dict[str, int]
) -> Iterator[tuple[str, int, End]]:
    """Everything that has a last day, of the kinds that are asked for."""
    plan = home.program.plan_for(state, now)
    if "points" in kinds:
        sums: dict[tuple[str, int], int] = {}
        for lot in state.lots.values():
            end = end_of(plan.balances[lot.balance], state, lot.expires) if lot.open else 0
            if end:
                sums[lot.balance, end - 1] = sums.get((lot.balance, end - 1), 0) + lot.open
        for (balance, last), amount in sums.items():
            yield _one("points", balance, last, balance, {"balance": balance, "amount": amount})
    if "voucher" in kinds:
        for code, voucher in state.vouchers.items():
            if voucher.state == "open" and voucher.expires:
                about = {"kind": voucher.kind}
                yield _one("voucher", code, voucher.expires - 1, voucher.kind, about)
    if "level" in kinds:
        for group in plan.tiers:
            standing = state.tiers.get(group.name)
            if standing is not None and standing.level and standing.until:
                level = group.levels[standing.level]
                about = {"group": group.name, "level": level}
                yield _one("level", group.name, standing.until - 1, level, about)
    if "offer" in kinds:
        limits = left_of(books, home, state, now) if plan.budgets else {}
        for offer in reach.offers_within(home.program, state, now, "", limits):
            if offer.until and offer.state in ("open", "loaded"):
                about = {"offer": offer.name}
                yield _one("offer", offer.name, offer.until - 1, offer.name, about)


def _one(kind: str, what: str, last: int, name: str, data: dict[str, Any]) -> tuple[str, int, End]:
    row = EndRow(kind, what, show_day(last))
    return kind, last, End(row, name, data | {"last": row.last})


# ── members ──────────────────────────────────────────────────────────────────


@chore
def wish_reminders(books: Books, now: int, account: int, wanted: dict[str, int]) -> None:
    """A member says how many days before they want to be reminded of each kind; 0: not. What
    ends soon already is told at once."""
    for kind, days in wanted.items():
        rows.wish(books, account, kind, days)
    if any(wanted.values()):
        jobs.hasten(books, now, JOB)


@chore
def stop_reminders(books: Books, _: int, account: int) -> int:
    """A member wants no reminders any more; of how many kinds they did."""
    return rows.stop(books, account)


@chore
def remind(books: Books, now: int, program: int, account: int, told: list[list[str]]) -> bool:
    """Ask for one letter about what a member was not told of yet; ``False`` when there is
    nothing of that, or they do not wish it any more."""
    wished = rows.wished(books, account)
    new = [EndRow._make(each) for each in told if each[0] in wished]
    new = sorted(set(new) - rows.known(books, account))
    if not new:
        return False
    number = mails.add(books, MailRow(0, program, REMINDER, b"", account, "", now, 0))
    for each in new:
        rows.add(books, account, each, number)
    jobs.ask_job(books, now, now, mailing.JOB, str(number))
    return True


@chore
def begin_reminder(books: Books, _: int, mail: int, begun: bool) -> bool:
    """The letter leaves now, or did not leave; ``False`` when that was said before."""
    return rows.begin(books, mail, begun=begun)


@chore
def forget_reminded(books: Books, now: int) -> int:
    """Drop the rows of what ended a while ago."""
    today = dt.datetime.fromtimestamp((now - 2 * DAY_MS) / 1000, dt.UTC).date()
    return rows.forget(books, today.isoformat())


def told_now(
    desk: Desk | RemoteDesk, mail: int, account: int
) -> tuple[Home, list[End], int] | None:
    """What a letter tells of as it stands now, and the instant; ``None`` where none of it ends
    any more, or the member does not wish to be told."""
    with beside(desk) as reader:
        return _told_now(reader, mail, account)


def _told_now(reader: Desk, mail: int, account: int) -> tuple[Home, list[End], int] | None:
    own = reader.books.account(account)
    if own is None:
        return None
    home, now = reader.homes.numbered(own.program), reader.clock()
    wanted = rows.told_in(reader.books, mail)
    wished = rows.wished(reader.books, account)
    row = household.seen_from(reader.books, home, own, now)
    found = [x for x in ends(reader.books, home, row, now, wished) if x.row in wanted]
    return (home, found, now) if found else None


# ── the job ──────────────────────────────────────────────────────────────────


def run(desk: Desk | RemoteDesk, job: Job, progress: Progress) -> str:
    """Ask for the letters and the messages that are due; how many there were, in words."""
    with beside(desk) as reader:
        return _run(desk, reader, progress)


def _run(desk: Desk | RemoteDesk, reader: Desk, progress: Progress) -> str:
    letters, above = 0, 0
    while found := rows.wishers(reader.books, above, _STEP):
        for above in found:
            letters += _remind(desk, reader, above)
        if progress.pause(_PAUSE_S):
            break
    told = _tell(desk, reader, progress)
    desk.chore("forget_reminded")
    return f"{letters} reminders, {told} messages"


def _remind(desk: Desk | RemoteDesk, reader: Desk, account: int) -> bool:
    own = reader.books.account(account)
    if own is None:
        return False
    home, now = reader.homes.numbered(own.program), reader.clock()
    wished = rows.wished(reader.books, account)
    row = household.seen_from(reader.books, home, own, now)
    known = rows.known(reader.books, account)
    new = [list(x.row) for x in ends(reader.books, home, row, now, wished) if x.row not in known]
    return bool(new and desk.chore("remind", own.program, account, new))


def _tell(desk: Desk | RemoteDesk, reader: Desk, progress: Progress) -> int:
    """Stage messages for the webhooks that ask for what ends; how many came to be.

    Once a day all accounts are looked at, and in between those that changed.
    """
    total = 0
    for hook in outbox.followers(reader.books):
        kinds = {k: TOLD_DAYS for k, type in KINDS.items() if notices.wanted(type, hook.types)}
        if not kinds:
            continue
        home, now = reader.homes.numbered(hook.program), reader.clock()
        about = " ".join(kinds)
        look = lately.begin(reader.books, home, f"ending {hook.number}", about, now)
        for page in lately.pages(reader.books, look):
            staged = [x for row in page for x in _messages(reader.books, home, row, now, kinds)]
            total += desk.chore("stage_ending", hook.number, staged) if staged else 0
            if progress.pause(_PAUSE_S):
                return total
        lately.end(desk, look)
    return total


def _messages(
    books: Books, home: Home, row: AccountRow, now: int, kinds: dict[str, int]
) -> Iterator[tuple[str, str, int, int, bytes]]:
    for each in ends(books, home, row, now, kinds):
        notice = Notice(KINDS[each.row.kind], each.data)
        known = sha256("\n".join(each.row).encode()).hexdigest()[:16]
        message = f"ending-{row.id}-{known}"
        about = {"account": row.id, "seq": row.seq, "event": ""}
        body = outbox.body(home.name, message, notice, about, now, row.seq)
        yield message, notice.type, row.id, now, body


@chore
def stage_ending(
    books: Books, now: int, hook: int, staged: list[tuple[str, str, int, int, bytes]]
) -> int:
    """Stage messages that a webhook was not told yet; how many they are."""
    if books.one("SELECT count(*) FROM webhook WHERE number = ? AND state = ?", (hook, ACTIVE)) < 1:
        return 0
    return outbox.insert(books, hook, staged, now)
