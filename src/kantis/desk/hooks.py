"""Hooks: who is told what, and where: webhooks are made, changed and looked at.

Guarantee: the secret of a webhook is shown when it is made, and never again; the books keep
it sealed. A new one is valid beside the former for a day, so that a receiver can take it over
without losing a message. What a webhook is told begins with what is booked after it was made.
"""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from msgspec import Struct, json

from kantis.core.calendar import show_instant
from kantis.core.knobs import Fault, ProgramError, suggest
from kantis.desk import notices, outbox
from kantis.desk.chores import chore, chore_alone
from kantis.desk.notices import Notice
from kantis.desk.vault.seals import webhook
from kantis.store.books import Books
from kantis.store.outgoing import (
    ACTIVE,
    DELIVERY_STATES,
    HOOK_STATES,
    PAUSED,
    WAITING,
)

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.vault.seals import Seals
    from kantis.desk.writer import RemoteDesk

#: So long the former secret signs beside a new one.
OVERLAP_MS: Final = 86_400_000
#: So many webhooks a program may have.
HOOKS_MAX: Final = 50
_SECRET_BYTES: Final = 32
_URL_LETTERS_MAX: Final = 1_000
_NAME_LETTERS_MAX: Final = 100
_TYPES_MAX: Final = 50
_ROW: Final = "number, id, program, name, url, types, state, reason, former_until, created, failing"


class Hook(Struct, frozen=True):
    """A webhook as it may be shown: without its secret."""

    number: int
    id: str
    program: int
    name: str
    url: str
    types: list[str]
    state: str
    reason: str
    former_until: int | None
    created: int
    failing: int | None


class Sent(Struct, frozen=True):
    """A delivery, and how often it was tried. ``due`` is when the next attempt is."""

    n: int
    message: str
    type: str
    account: int
    made: int
    state: str
    tries: int
    due: int


class Attempt(Struct, frozen=True):
    """One call of a webhook: how long it took, what it answered, and how that begins."""

    delivery: int
    at: int
    ms: int
    status: int
    outcome: str
    answer: str


def shown_secret(secret: bytes) -> str:
    """A secret as receivers configure it."""
    return f"whsec_{base64.b64encode(secret).decode()}"


# ── changing ─────────────────────────────────────────────────────────────────


def make(
    desk: Desk | RemoteDesk, seals: Seals, program: int, url: str, types: list[str], name: str,
    *, lan: bool,
) -> tuple[str, str]:  # fmt: skip
    """A new webhook; its id and its secret, which is shown once. ``lan`` allows http."""
    check(url, types, name, lan=lan)
    id, secret = f"hook_{secrets.token_hex(8)}", secrets.token_bytes(_SECRET_BYTES)
    desk.chore("add_hook", program, id, name, url, types, seals.seal(webhook(id), secret))
    return id, shown_secret(secret)


def check(url: str, types: list[str], name: str, *, lan: bool) -> None:
    """``ProgramError`` with what is wrong with a webhook."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = "", None
    schemes = ("https", "http") if lan else ("https",)
    if not host or parts.scheme not in schemes or len(url) > _URL_LETTERS_MAX or port == 0:
        raise _wrong("bad-url", "The address of a webhook is an https:// URL.")
    if not url.isascii() or not url.isprintable() or " " in url or parts.username is not None:
        raise _wrong("bad-url", "A URL is plain letters, without a user name or a password.")
    if not name.isprintable() or len(name) > _NAME_LETTERS_MAX:
        raise _wrong("bad-name", "A name says in at most 100 letters what the webhook is for.")
    wrong = notices.misspelt(types)
    if wrong or len(types) > _TYPES_MAX:
        hint = suggest(wrong[0], list(notices.TYPES)) if wrong else ""
        said = f"No notice is of type {wrong[0]!r}." if wrong else "That are too many types."
        raise _wrong("unknown-type", f"{said} {hint}".strip())


def _wrong(code: str, message: str) -> ProgramError:
    return ProgramError([Fault(code, message)])


@chore_alone
def add_hook(
    books: Books, now: int, program: int, id: str, name: str, url: str, types: list[str],
    secret: bytes,
) -> int:  # fmt: skip
    """Record a webhook, its secret sealed; it is told what comes from now on."""
    count, last = books.rows(
        "SELECT count(CASE WHEN program = ? THEN 1 END), coalesce(max(number), 0) FROM webhook",
        (program,),
    )[0]
    if count >= HOOKS_MAX:
        raise _wrong("too-many-webhooks", f"A program has at most {HOOKS_MAX} webhooks.")
    entry, flag = books.rows(
        "SELECT (SELECT coalesce(max(n), 0) FROM entry), (SELECT coalesce(max(n), 0) FROM flag)"
    )[0]
    version = books.one(
        "SELECT coalesce(max(number), 0) FROM version WHERE program = ?", (program,)
    )
    books.execute(
        "INSERT INTO webhook (number, id, program, name, url, types, state, reason, secret, "
        "entry_at, flag_at, version_at, created) VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?)",
        (last + 1, id, program, name, url, json.encode(types).decode(), ACTIVE, secret, entry,
         flag, version, now),
    )  # fmt: skip
    return int(last) + 1


@chore
def change_hook(
    books: Books, _: int, number: int, url: str, types: list[str], name: str, paused: bool
) -> None:
    """Change where a webhook is, what it is told, or whether it is. One that is called again
    is told what came meanwhile."""
    books.execute(
        "UPDATE webhook SET url = ?, types = ?, name = ?, state = ?, reason = '', failing = NULL "
        "WHERE number = ?",
        (url, json.encode(types).decode(), name, PAUSED if paused else ACTIVE, number),
    )


@chore
def drop_hook(books: Books, _: int, number: int) -> None:
    """Take a webhook away, with all that is on its way to it."""
    books.execute(
        "DELETE FROM attempt WHERE delivery IN (SELECT n FROM delivery WHERE hook = ?)", (number,)
    )
    books.execute("DELETE FROM delivery WHERE hook = ?", (number,))
    books.execute("DELETE FROM webhook WHERE number = ?", (number,))


def rotate(desk: Desk | RemoteDesk, seals: Seals, number: int, id: str) -> str:
    """A new secret, which is shown once; the former one signs beside it for a day."""
    secret = secrets.token_bytes(_SECRET_BYTES)
    desk.chore("change_secret", number, seals.seal(webhook(id), secret))
    return shown_secret(secret)


@chore
def change_secret(books: Books, now: int, number: int, secret: bytes) -> None:
    """Let another secret sign, and the one before it for a while too."""
    books.execute(
        "UPDATE webhook SET former = secret, former_until = ?, secret = ? WHERE number = ?",
        (now + OVERLAP_MS, secret, number),
    )


@chore
def test_hook(books: Books, now: int, number: int) -> str:
    """Stage a test for one webhook; its message id."""
    id, program = books.rows("SELECT id, program FROM webhook WHERE number = ?", (number,))[0]
    message = f"test-{number}-{now}"
    notice = Notice("webhook.test", {"webhook": id})
    names = {number: name for name, number in books.programs().items()}
    made = outbox.body(names[program], message, notice, {}, now)
    outbox.insert(books, number, [(message, notice.type, 0, now, made)], now)
    return message


@chore
def resend(books: Books, now: int, number: int, message: str) -> bool:
    """Deliver one message again, whatever became of it; ``False`` when there is none."""
    return bool(
        books.execute(
            "UPDATE delivery SET state = ?, tries = 0, due = ? WHERE hook = ? AND message = ?",
            (WAITING, now, number, message),
        )
    )


@chore
def resend_range(
    books: Books, now: int, number: int, since: int, until: int, states: list[int]
) -> int:
    """Deliver again what was made from an instant on until before another; how many."""
    marks = ", ".join("?" * len(states))
    return books.execute(
        "UPDATE delivery SET state = ?, tries = 0, due = ? "
        f"WHERE hook = ? AND made >= ? AND made < ? AND state IN ({marks})",
        (WAITING, now, number, since, until, *states),
    )


# ── looking ──────────────────────────────────────────────────────────────────


def hooks(books: Books, program: int) -> list[Hook]:
    """The webhooks of a program, oldest first."""
    found = books.rows(f"SELECT {_ROW} FROM webhook WHERE program = ? ORDER BY number", (program,))
    return [_hook(row) for row in found]


def hook(books: Books, program: int, id: str) -> Hook | None:
    """A webhook of a program by its id."""
    found = books.rows(f"SELECT {_ROW} FROM webhook WHERE program = ? AND id = ?", (program, id))
    return _hook(found[0]) if found else None


def _hook(row: tuple[Any, ...]) -> Hook:
    values = list(row)
    values[5], values[6] = json.decode(row[5]), HOOK_STATES[row[6]]
    return Hook(*values)


def deliveries(
    books: Books, number: int, state: str, below: int, count: int
) -> list[tuple[Sent, list[Attempt]]]:
    """Deliveries of a webhook with their attempts, newest first."""
    wanted = list(range(len(DELIVERY_STATES))) if not state else [DELIVERY_STATES.index(state)]
    marks = ", ".join("?" * len(wanted))
    rows = books.rows(
        "SELECT n, message, type, account, made, state, tries, due FROM delivery "
        f"WHERE hook = ? AND n < ? AND state IN ({marks}) ORDER BY n DESC LIMIT ?",
        (number, below, *wanted, count),
    )
    made: dict[int, list[Attempt]] = {row[0]: [] for row in rows}
    found = books.rows(
        "SELECT t.delivery, t.at, t.ms, t.status, t.outcome, t.answer "
        f"FROM {books.wanted['i']} attempt t WHERE t.delivery = j.a ORDER BY t.delivery, t.n",
        books.keyed("i", [(n,) for n in made]),
    )
    for each in found:
        made[each[0]].append(Attempt(*each))
    return [(_sent(row), made[row[0]]) for row in rows]


def _sent(row: tuple[Any, ...]) -> Sent:
    values = list(row)
    values[5] = DELIVERY_STATES[row[5]]
    return Sent(*values)


def since_when(at: int | None) -> str | None:
    """An instant for people, or nothing."""
    return None if at is None else show_instant(at)
