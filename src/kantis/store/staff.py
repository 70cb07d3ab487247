"""Staff: who signs in, read from the books and written into them."""

from __future__ import annotations

from typing import Final, NamedTuple

from kantis.store.books import Books
from kantis.store.reading import Reading


class StaffRow(NamedTuple):
    """Somebody who works with the console or at a till. ``program`` 0 is all programs;
    ``partner`` is whose statements they see, where they are somebody's."""

    number: int
    login: str
    name: str
    role: str
    program: int
    password: str
    made: int
    ended: int | None
    partner: str = ""


class SessionRow(NamedTuple):
    """A browser that is signed in: for a ``staff`` member, or for the member of an ``account``."""

    digest: bytes
    staff: int
    account: int
    opened: int
    seen: int
    ends: int
    proved: int
    device: str


class TicketRow(NamedTuple):
    """A link that opens once: what for, and for whom."""

    digest: bytes
    purpose: str
    staff: int
    account: int
    made: int
    ends: int


#: What goes with somebody who has left.
_OF_STAFF: Final = (
    "session", "ticket", "authenticator", "recovery_code", "passkey", "staff_language",
)  # fmt: skip
_STAFF: Final = ", ".join(StaffRow._fields)
_SESSION: Final = ", ".join(SessionRow._fields)
_TICKET: Final = ", ".join(TicketRow._fields)


def all_staff(books: Reading) -> list[StaffRow]:
    """Everybody, oldest first, those who have left too."""
    found = books.rows(f"SELECT {_STAFF} FROM staff ORDER BY number")
    return list(map(StaffRow._make, found))


def by_login(books: Reading, login: str) -> StaffRow | None:
    """Whoever signs in under that name."""
    found = books.rows(f"SELECT {_STAFF} FROM staff WHERE login = ?", (login,))
    return StaffRow._make(found[0]) if found else None


def by_number(books: Reading, number: int) -> StaffRow | None:
    """Whoever has that number."""
    found = books.rows(f"SELECT {_STAFF} FROM staff WHERE number = ?", (number,))
    return StaffRow._make(found[0]) if found else None


def add_staff(books: Books, row: StaffRow) -> None:
    """Record somebody."""
    books.insert("staff", row._asdict())


def set_password(books: Books, number: int, password: str) -> None:
    """Somebody has another password now."""
    books.execute("UPDATE staff SET password = ? WHERE number = ?", (password, number))


def end_staff(books: Books, number: int, at: int) -> bool:
    """Somebody has left; ``False`` where nobody was there any more."""
    ended = books.execute(
        "UPDATE staff SET ended = ? WHERE number = ? AND ended IS NULL", (at, number)
    )
    for table in _OF_STAFF:
        books.execute(f"DELETE FROM {table} WHERE staff = ?", (number,))
    return bool(ended)


# ── sessions ─────────────────────────────────────────────────────────────────


def session(books: Reading, digest: bytes) -> SessionRow | None:
    """The session of that hash."""
    found = books.rows(f"SELECT {_SESSION} FROM session WHERE digest = ?", (digest,))
    return SessionRow._make(found[0]) if found else None


def sessions(books: Reading, *, staff: int = 0, account: int = 0) -> list[SessionRow]:
    """The sessions of somebody, the one that was used last first."""
    found = books.rows(
        f"SELECT {_SESSION} FROM session WHERE staff = ? AND account = ? ORDER BY seen DESC",
        (staff, account),
    )
    return list(map(SessionRow._make, found))


def add_session(books: Books, row: SessionRow) -> None:
    """Record a session, and forget those that are over."""
    books.execute("DELETE FROM session WHERE ends <= ?", (row.opened,))
    books.insert("session", row._asdict())


def see(books: Books, digest: bytes, at: int) -> None:
    """A session was used."""
    books.execute("UPDATE session SET seen = ? WHERE digest = ?", (at, digest))


def prove(books: Books, digest: bytes, at: int) -> None:
    """Whoever has the session has shown again who they are."""
    books.execute("UPDATE session SET proved = ? WHERE digest = ?", (at, digest))


def end_session(books: Books, digest: bytes) -> None:
    """Somebody signs out."""
    books.execute("DELETE FROM session WHERE digest = ?", (digest,))


def end_sessions(books: Books, *, staff: int = 0, account: int = 0, but: bytes = b"") -> None:
    """End all sessions of somebody, except one."""
    books.execute(
        "DELETE FROM session WHERE staff = ? AND account = ? AND digest <> ?", (staff, account, but)
    )


# ── links that open once, and tries ──────────────────────────────────────────


def add_ticket(books: Books, row: TicketRow) -> None:
    """Record a link, and forget those that are over."""
    books.execute("DELETE FROM ticket WHERE ends <= ?", (row.made,))
    books.insert("ticket", row._asdict())


def ticket(books: Reading, digest: bytes) -> TicketRow | None:
    """The link of that hash."""
    found = books.rows(f"SELECT {_TICKET} FROM ticket WHERE digest = ?", (digest,))
    return TicketRow._make(found[0]) if found else None


def take_ticket(books: Books, digest: bytes) -> bool:
    """Use a link up; ``False`` where it is not there (any more)."""
    return bool(books.execute("DELETE FROM ticket WHERE digest = ?", (digest,)))


def tries(books: Reading, subject: bytes, since: int) -> int:
    """How often something was tried since an instant."""
    return int(
        books.one("SELECT count(*) FROM sign_in_try WHERE subject = ? AND at > ?", (subject, since))
    )


def add_try(books: Books, subject: bytes, at: int, since: int) -> int:
    """Record a try, and forget those before ``since``; its number."""
    books.execute("DELETE FROM sign_in_try WHERE at <= ?", (since,))
    return int(
        books.rows(
            "INSERT INTO sign_in_try (subject, at) VALUES (?, ?) RETURNING n", (subject, at)
        )[0][0]
    )


def take_back(books: Books, tries: list[int]) -> None:
    """Some tries have turned out right."""
    marks = ", ".join("?" * len(tries))
    books.execute(f"DELETE FROM sign_in_try WHERE n IN ({marks})", tries)


def forget_tries(books: Books, subject: bytes) -> None:
    """It has worked."""
    books.execute("DELETE FROM sign_in_try WHERE subject = ?", (subject,))
