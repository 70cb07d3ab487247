"""People: the rows of members, whose personal data are sealed, and how they are written.

The store sees no name: what it holds of a person are bytes under a key that is elsewhere,
and keyed hashes by which a person is found. Who read what is append-only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec import Struct, field

from kantis.core.account import decode_account
from kantis.store import passkeys
from kantis.store.books import Books, Conflict
from kantis.store.reading import Asked, Reading
from kantis.store.rows import Page, Row

#: What a mark is made of: an e-mail address, a telephone number, the start of a name.
EMAIL: Final = 0
PHONE: Final = 1
NAME: Final = 2

#: What became of a slip.
DONE: Final = ""
STALE: Final = "stale"
AGAIN: Final = "again"
TAKEN: Final = "email-taken"
CARD_TAKEN: Final = "card-taken"
CARD_GONE: Final = "card-gone"

#: What happens to a card after it was made.
ADDED: Final = "added"
BLOCKED: Final = "blocked"
REPLACED: Final = "replaced"
ERASED: Final = "erased"
#: It belongs to another account since, as in ``moved from 12``.
MOVED: Final = "moved from "
#: With these states a card does nothing any more.
STOPPED: Final = (BLOCKED, REPLACED, ERASED)


class MemberRow(NamedTuple):
    """A member of a program: a person, or what is left of one who was erased.

    ``sealed`` are the personal data under the member's key, ``event`` is what enrolled them,
    ``version`` grows with each change, ``indexed`` is the master key that the marks are under.
    """

    number: int
    id: str
    program: int
    account: int
    event: str
    version: int
    joined: int
    changed: int
    indexed: int
    sealed: bytes | None
    erased: int | None


class CardChange(NamedTuple):
    """Something happened to a card: when, by whom, and what it is since."""

    n: int
    program: int
    token: str
    account: int
    state: str
    at: int
    who: str


class ReadingRow(NamedTuple):
    """Who read which personal data of a member, when, and what for."""

    n: int
    at: int
    who: str
    member: str
    why: str
    fields: str


class Slip(Struct, array_like=True):
    """What is to be written of one person, whole or not at all.

    ``new`` is a member without a number; ``change`` is (id, version before, changed, indexed,
    sealed), ``indexed`` (id, version, indexed) of one whose marks alone change. Marks are
    (program, kind, tag); nobody else may have one of those that are ``unique``. ``erase`` is
    (id, instant). Cards are (program, token, account, state, at, who), readings (at, who,
    member, why, fields). All marks go that are under the master keys of
    ``forget``, or of the members with the numbers ``unmark``. ``move`` is (id, version before,
    changed, account) of one who has another account from now on.
    """

    of: str = ""
    new: Row | None = None
    change: Row | None = None
    indexed: Row | None = None
    erase: Row | None = None
    marks: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)
    unique: list[Row] = field(default_factory=list)
    cards: list[Row] = field(default_factory=list)
    forget: list[int] = field(default_factory=list)
    unmark: list[int] = field(default_factory=list)
    readings: list[Row] = field(default_factory=list)
    move: Row | None = None


_MEMBER = ", ".join(f"m.{name}" for name in MemberRow._fields)
_FIELDS = MemberRow._fields[1:]


# ── reading ──────────────────────────────────────────────────────────────────


def by_id(books: Reading, ids: Sequence[str]) -> list[MemberRow]:
    """Members by their id."""
    return _found(books, "t", [(each,) for each in ids], "m.id = j.a")


def by_account(books: Reading, accounts: Sequence[int]) -> list[MemberRow]:
    """The members of accounts who were not erased."""
    where = "m.account = j.a AND m.erased IS NULL"
    return _found(books, "i", [(each,) for each in accounts], where)


def by_event(books: Reading, event: str) -> MemberRow | None:
    """The member whom an event enrolled."""
    found = _found(books, "t", [(event,)], "m.event = j.a")
    return found[0] if found else None


def by_number(books: Reading, numbers: Sequence[int]) -> list[MemberRow]:
    """Members by their number."""
    return _found(books, "i", [(each,) for each in numbers], "m.number = j.a")


def by_receipt(books: Reading, program: int, receipt: str) -> list[int]:
    """The accounts that bought with a receipt: the id of the purchase, or the receipt in it."""
    sources = {each.source for each in books.all_keys() if each.program == program}
    keys = [f"{source}/{receipt}" for source in sorted(sources | {"import"})]
    accounts = [x.account for x in books.events(keys) if x.program == program and x.account]
    inside = books.rows(
        "SELECT account FROM event WHERE program = ? AND receipt = ? AND account IS NOT NULL",
        (program, receipt),
    )
    return list(dict.fromkeys(living(books, each) for each in accounts + [r[0] for r in inside]))


def living(books: Reading, account: int) -> int:
    """The account that an account became a part of, as far as it goes; itself, if of none."""
    return became(books, account)[-1]


def became(books: Reading, account: int) -> list[int]:
    """An account, what it became a part of, and so on: where its past can have been undone."""
    found = [account]
    for _ in range(_MERGES_MAX):
        row = books.account(found[-1])
        into, name = decode_account(row.snapshot).away if row is not None else ("", "")
        if not into or name:
            break
        found.append(int(into.removeprefix("account:")))
    return found


#: Accounts that became a part of each other in a row, at most; cards are not replaced more often.
_MERGES_MAX: Final = 100


def _found(books: Reading, kinds: str, keys: Sequence[Row], where: str) -> list[MemberRow]:
    if not keys:
        return []
    rows = books.rows(
        f"SELECT {_MEMBER} FROM {books.wanted[kinds]} member m WHERE {where} ORDER BY m.number",
        books.keyed(kinds, keys),
    )
    return list(map(MemberRow._make, rows))


def marked(books: Reading, program: int, kind: int, tags: Sequence[bytes], most: int) -> list[int]:
    """The numbers of members who have all these marks, at most so many.

    The mark that the fewest have comes first, so that the others are single look-ups.
    """
    at = "program = ? AND kind = ? AND tag = ?"
    if len(tags) > 1:
        counted = []
        for tag in tags:
            few = f"SELECT count(*) FROM (SELECT 1 FROM mark WHERE {at} LIMIT {_RARE}) AS few"
            counted.append((int(books.one(few, (program, kind, tag))), tag))
        tags = [tag for _, tag in sorted(counted)]
    first = f"SELECT member FROM mark WHERE {at}"
    if len(tags) > 1:
        first = f"{first} ORDER BY member LIMIT {_RARE}"
    others = " AND ".join(
        f"EXISTS (SELECT 1 FROM mark WHERE {at} AND member = f.member)" for _ in tags[1:]
    )
    found = books.rows(
        f"SELECT f.member FROM ({first}) AS f WHERE {others or '1 = 1'} ORDER BY f.member LIMIT ?",
        [value for tag in tags for value in (program, kind, tag)] + [most],
    )
    return [row[0] for row in found]


#: Of several marks so many members are looked at who have the rarest of them.
_RARE: Final = 20_000


def indexed_before(books: Reading, indexed: int, above: int, count: int) -> list[MemberRow]:
    """Members above a number whose marks are under another master key than this one."""
    rows = books.rows(
        f"SELECT {_MEMBER} FROM member m WHERE m.indexed <> ? AND m.erased IS NULL "
        "AND m.number > ? ORDER BY m.number LIMIT ?",
        (indexed, above, count),
    )
    return list(map(MemberRow._make, rows))


def newest_ids(books: Reading, count: int) -> list[str]:
    """The ids of the newest members who were not erased."""
    rows = books.rows(
        "SELECT id FROM member WHERE erased IS NULL ORDER BY number DESC LIMIT ?", (count,)
    )
    return [row[0] for row in rows]


def masters(books: Reading) -> list[int]:
    """The numbers of the master keys that marks of members are under."""
    rows = books.rows("SELECT DISTINCT indexed FROM member WHERE erased IS NULL ORDER BY indexed")
    return [row[0] for row in rows]


def members_in_all(books: Reading) -> tuple[int, int]:
    """How many members there are with personal data, and how many were erased."""
    found = books.rows("SELECT count(*) - count(erased), count(erased) FROM member")
    return found[0][0], found[0][1]


def card_changes(books: Reading, above: int = 0) -> list[CardChange]:
    """What happened to cards after a number, in order."""
    return list(map(CardChange._make, books.rows(*asks_card_changes(above))))


def asks_card_changes(above: int) -> Asked:
    """The statement of ``card_changes``."""
    wanted = f"SELECT {', '.join(CardChange._fields)} FROM card_change"
    return f"{wanted} WHERE n > ? ORDER BY n", [above]


def cards_of(books: Reading, accounts: Sequence[int]) -> dict[int, dict[str, str]]:
    """Of each account its cards with their state; empty for one that works."""
    keys = books.keyed("i", [(each,) for each in accounts])
    found: dict[int, dict[str, str]] = {each: {} for each in accounts}
    rows = books.rows(
        f"SELECT c.account, c.token FROM {books.wanted['i']} card c "
        "WHERE c.account = j.a ORDER BY c.token",
        keys,
    )
    for account, token in rows:
        found[account][token] = ""
    rows = books.rows(
        f"SELECT c.account, c.token, c.state FROM {books.wanted['i']} card_change c "
        "WHERE c.account = j.a ORDER BY c.n",
        keys,
    )
    for account, token, state in rows:
        if token in found[account]:
            found[account][token] = state if state in STOPPED else ""
    return found


def readings_of(books: Reading, member: str) -> list[ReadingRow]:
    """Who has read personal data of a member, oldest first."""
    rows = books.rows(
        f"SELECT {', '.join(ReadingRow._fields)} FROM reading WHERE member = ? ORDER BY n",
        (member,),
    )
    return list(map(ReadingRow._make, rows))


def has_read(books: Reading, member: str, who: str, why: str) -> bool:
    """Whether it is written down already that somebody read of a member, for one purpose."""
    wanted = "SELECT 1 FROM reading WHERE member = ? AND who = ? AND why = ? LIMIT 1"
    return bool(books.rows(wanted, (member, who, why)))


# ── writing ──────────────────────────────────────────────────────────────────


def write(books: Books, slips: Sequence[Slip]) -> list[str]:
    """Write slips within a transaction, each whole or not at all; what became of each."""
    outcomes = []
    readings: list[Row] = []
    for slip in slips:
        readings += slip.readings
        for master in slip.forget:
            books.execute(
                "DELETE FROM mark WHERE member IN (SELECT number FROM member WHERE indexed = ?)",
                (master,),
            )
        if slip.unmark:
            forget_marks(books, slip.unmark)
        if not (slip.new or slip.change or slip.indexed or slip.erase or slip.cards or slip.move):
            outcomes.append(DONE)
            continue
        books.mark()
        try:
            outcome = _write(books, slip)
        except Conflict:  # another process was faster
            outcome = AGAIN
        if outcome:
            books.back()
        outcomes.append(outcome)
    _insert_all(books, "reading", ReadingRow._fields[1:], readings)
    return outcomes


def _write(books: Books, slip: Slip) -> str:
    if slip.new is not None:
        _insert_all(books, "member", _FIELDS, [slip.new])
    elif slip.change is not None:
        member, version, changed, indexed, sealed = slip.change
        done = books.execute(
            "UPDATE member SET version = version + 1, changed = ?, indexed = ?, sealed = ? "
            "WHERE id = ? AND version = ? AND erased IS NULL",
            (changed, indexed, sealed, member, version),
        )
        if not done:
            return STALE
    elif slip.indexed is not None:
        member, version, indexed = slip.indexed
        done = books.execute(
            "UPDATE member SET indexed = ? WHERE id = ? AND version = ?",
            (indexed, member, version),
        )
        if not done:
            return STALE
    elif slip.move is not None:
        member, version, changed, account = slip.move
        done = books.execute(
            "UPDATE member SET version = version + 1, changed = ?, account = ? "
            "WHERE id = ? AND version = ? AND erased IS NULL",
            (changed, account, member, version),
        )
        if not done:
            return STALE
        passkeys.move(books, member, account)
    elif slip.erase is not None:
        member, at = slip.erase
        books.execute(
            "UPDATE member SET version = version + 1, changed = ?, erased = ?, sealed = NULL "
            "WHERE id = ? AND erased IS NULL",
            (at, at, member),
        )
        passkeys.forget(books, member)
    return _remark(books, slip) or _card(books, slip.cards)


def _remark(books: Books, slip: Slip) -> str:
    """Take marks away, and give others."""
    if not (slip.marks or slip.gone or slip.unique):
        return DONE
    number = books.one("SELECT number FROM member WHERE id = ?", (slip.of,))
    for program, kind, tag in slip.gone:
        books.execute(
            "DELETE FROM mark WHERE program = ? AND kind = ? AND tag = ? AND member = ?",
            (program, kind, tag, number),
        )
    for program, kind, tag in slip.unique:
        if books.rows(
            "SELECT 1 FROM mark WHERE program = ? AND kind = ? AND tag = ? AND member <> ? LIMIT 1",
            (program, kind, tag, number),
        ):
            return TAKEN
    _insert_all(
        books, "mark", ("program", "kind", "tag", "member"), [(*m, number) for m in slip.marks]
    )
    return DONE


def _card(books: Books, cards: list[Row]) -> str:
    """What happens to cards. An added one is nobody's before; another one is this account's. One
    that is stopped stays so where it moves."""
    arrived = []
    for program, token, account, state, at, who in cards:
        states = [state]
        found = books.cards([(program, token)]).get((program, token))
        if state == ADDED:
            if found is not None:
                return CARD_TAKEN
            _insert_all(books, "card", ("program", "token", "account"), [(program, token, account)])
            arrived.append(f"{program}:card:{token}")
        elif state == f"{MOVED}{found}":
            states += filter(None, [cards_of(books, [found or 0])[found or 0][token]])
            books.execute(
                "UPDATE card SET account = ? WHERE program = ? AND token = ?",
                (account, program, token),
            )
        elif found != account:
            return CARD_GONE
        rows = [(program, token, account, each, at, who) for each in states]
        _insert_all(books, "card_change", CardChange._fields[1:], rows)
    if arrived:
        books.arrive(Page(arrived=arrived))
    return DONE


def forget_marks(books: Books, members: Sequence[int]) -> None:
    """Take all marks of members away, whatever they are made of; this looks at every mark."""
    books.execute(
        f"DELETE FROM mark WHERE member IN (SELECT j.a FROM {books.wanted['i']} (SELECT 1) AS one)",
        books.keyed("i", [(each,) for each in members]),
    )


def _insert_all(books: Books, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    marks = ", ".join("?" * len(columns))
    most = _VALUES_MAX // len(columns)
    for first in range(0, len(rows), most):
        part = rows[first : first + most]
        values = ", ".join([f"({marks})"] * len(part))
        books.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}",
            [value for row in part for value in row],
        )


_VALUES_MAX: Final = 900
