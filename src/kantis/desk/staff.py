"""Staff: who may sign in to the console and the till, and how they show who they are.

Guarantee: a password is at least twelve letters, and the books hold what Argon2id makes of
it. Within a quarter of an hour five wrong tries close a login for the place that they came
from, fifty close it for every new device, twenty close a place for all logins, and a thousand
close all new devices, for the rest of it and also across a restart. A device on which somebody
has signed in before is counted alone, so nobody is locked out by what others try. How long an
answer takes does not tell whether a login exists. A link opens once, within its time. Whoever
has left is signed out everywhere at once.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct

from kantis.core.calendar import DAY_MS
from kantis.core.knobs import Fault, ProgramError, suggest
from kantis.desk import tries
from kantis.desk.audit import By, alone, record
from kantis.desk.codes import digest, grouped, new_code, new_token
from kantis.desk.settlement import outsiders
from kantis.store import staff as rows
from kantis.store.books import Books
from kantis.store.reading import Reading
from kantis.store.staff import StaffRow, TicketRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

#: What somebody can be, and what that means.
ROLES: Final = {
    "owner": "does everything, and says who else may",
    "manager": "writes and publishes programs, makes keys, approves adjustments",
    "support": "looks members up and proposes adjustments",
    "partner": "sees what concerns one partner",
    "auditor": "sees everything and changes nothing",
    "cashier": "sells at a till",
}
#: Sees what stands under the name of its partner.
PARTNER: Final = "partner"
PASSWORD_MIN: Final = 12
PASSWORD_MAX: Final = 256
TRIES_MAX: Final = 5
#: Wrong passwords of one login from all places, from one place for all logins, and in all.
TO_ONE_MAX: Final = 50
FROM_ONE_MAX: Final = 20
ALL_MAX: Final = 1_000
#: A device on which somebody has signed in is theirs for so long; what its ticket is for.
DEVICE_MS: Final = 365 * DAY_MS
DEVICE: Final = "device"
INVITED_MS: Final = 7 * DAY_MS
#: What the link of an invitation is for.
INVITE: Final = "invite"

_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,99}")
_NAME_LETTERS_MAX: Final = 100
_NEW_LETTERS: Final = 20
#: 19 MiB and two rounds, as OWASP's cheat sheet for storing passwords has it.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Checked where there is no such login, so that the answer takes as long.
_NOBODY: Final = _HASHER.hash(secrets.token_hex(16))


class Staff(Struct, frozen=True):
    """Somebody as others see them."""

    number: int
    login: str
    name: str
    role: str
    program: int
    made: int
    ended: int | None
    invited: bool
    partner: str = ""


class SignInRefused(Exception):
    """A login and a password that do not belong together, or too many tries."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def shown(row: StaffRow) -> Staff:
    """Without what is secret."""
    return Staff(
        row.number, row.login, row.name, row.role, row.program, row.made, row.ended,
        not row.password, row.partner,
    )  # fmt: skip


def everybody(books: Reading) -> list[Staff]:
    """All who may sign in, or could once."""
    return [shown(row) for row in rows.all_staff(books)]


def invite(
    desk: Desk, login: str, name: str, role: str, program: str, by: By, *,
    within: int = 0, partner: str = "",
) -> tuple[int, str]:  # fmt: skip
    """Record somebody, and make the link by which they choose a password.

    ``ProgramError`` says what is wrong. Without a program they are for all programs; whoever
    invites ``within`` one program invites for that one only. Whoever is a partner names which.
    """
    token = new_token()
    partner = partner.strip() if role == PARTNER else ""
    with alone(desk) as books:
        if within and books.programs().get(program) != within:
            raise _wrong("other-program", "You invite for your own program only. Choose that one.")
        if role == PARTNER:
            _check_partner(desk, books, program, partner)
        row = _add(books, desk.clock(), login, name, role, program, "", partner)
        made = TicketRow(digest(token), INVITE, row.number, 0, row.made, row.made + INVITED_MS)
        rows.add_ticket(books, made)
        record(books, row.made, by, row.program, "invite", row.login, role=role)
    return row.number, token


def add_owner(books: Books, at: int, login: str, name: str, password: str, by: By) -> Staff:
    """Record the first owner, who has a password at once; ``ProgramError`` says what is wrong."""
    check_password(password)
    row = _add(books, at, login, name, "owner", "", hashed(password))
    record(books, at, by, 0, "accept", row.login, role="owner")
    return shown(row)


def _add(
    books: Books, at: int, login: str, name: str, role: str, program: str, password: str,
    partner: str = "",
) -> StaffRow:  # fmt: skip
    login, name, programs = login.strip().lower(), name.strip(), books.programs()
    _check(programs, login, name, role, program)
    if rows.by_login(books, login) is not None:
        raise _wrong("login-taken", f"{login} signs in here already. Choose another login.")
    number = max((row.number for row in rows.all_staff(books)), default=0) + 1
    where = programs[program] if program else 0
    row = StaffRow(number, login, name, role, where, password, at, None, partner)
    rows.add_staff(books, row)
    return row


def invited(books: Reading, token: str, now: int) -> Staff | None:
    """Whom an invitation is for, while its link opens."""
    ticket = rows.ticket(books, digest(token))
    if ticket is None or ticket.purpose != INVITE or ticket.ends <= now:
        return None
    row = rows.by_number(books, ticket.staff)
    return shown(row) if row is not None and row.ended is None else None


def accept(desk: Desk, token: str, password: str) -> Staff | None:
    """Choose a password by an invitation; ``None`` where its link does not open (any more)."""
    check_password(password)
    made = hashed(password)
    with alone(desk) as books:
        found = invited(books, token, desk.clock())
        if found is None or not rows.take_ticket(books, digest(token)):
            return None
        rows.set_password(books, found.number, made)
        record(
            books, desk.clock(), By(found.login, found.name), found.program, "accept", found.login
        )
    return found


def give_password(desk: Desk, number: int, password: str, by: By) -> bool:
    """Give somebody another password; false where nobody with that number can sign in."""
    check_password(password)
    made = hashed(password)
    with alone(desk) as books:
        found = rows.by_number(books, number)
        if found is None or found.ended is not None:
            return False
        rows.set_password(books, number, made)
        record(books, desk.clock(), by, found.program, "password", found.login)
    return True


def new_password() -> str:
    """A password that can be read off a screen and typed."""
    return grouped(new_code(_NEW_LETTERS))


def hashed(password: str) -> str:
    """What the books hold of a password."""
    return _HASHER.hash(password)


def check_password(password: str) -> None:
    """``ProgramError`` where a password is too short, too long, or one letter only."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX or len(set(password)) < PASSWORD_MIN // 3:
        message = (
            f"A password has at least {PASSWORD_MIN} letters, and not always the same ones. "
            "A few words are easy to keep in mind."
        )
        raise _wrong("weak-password", message)


class Origin(Struct, frozen=True):
    """Where somebody signs in: a keyed hash of the place, and what their device was given when
    they signed in on it before."""

    place: bytes = b""
    device: str = ""


#: Whoever signs in without a browser.
NOWHERE: Final = Origin()


def tries_of(login: str, where: bytes = b"") -> bytes:
    """What tries to sign in with a login are counted under, from one place or device."""
    return digest(f"login {login} {where.hex()}".strip())


def _limits(books: Reading, login: str, row: StaffRow | None, origin: Origin) -> dict[bytes, int]:
    """What a wrong password counts for, and how many of each there may be."""
    device = digest(origin.device) if origin.device else b""
    ticket = rows.ticket(books, device) if device else None
    whose = ticket.staff if ticket is not None and ticket.purpose == DEVICE else 0
    if row is not None and whose == row.number:
        return {tries_of(login, device): TRIES_MAX}
    found = {
        tries_of(login, origin.place): TRIES_MAX,
        digest(f"all tries of {login}"): TO_ONE_MAX,
        digest("all tries"): ALL_MAX,
    }
    if origin.place:
        found[digest(f"all tries from {origin.place.hex()}")] = FROM_ONE_MAX
    return found


def sign_in(desk: Desk, login: str, password: str, origin: Origin = NOWHERE) -> Staff:
    """Who signs in; ``SignInRefused`` where login and password do not belong together."""
    login = login.strip().lower()[:100]
    with alone(desk) as books:
        row = rows.by_login(books, login)
        limits = _limits(books, login, row, origin)
        tried = tries.count(books, desk.clock(), limits)
        if not tried:
            raise SignInRefused("too-many-tries")
    known = row is not None and row.ended is None and bool(row.password)
    if not _fits(row.password if row is not None and known else _NOBODY, password) or not known:
        raise SignInRefused("wrong-password")
    assert row is not None
    subject = next(iter(limits))
    with alone(desk) as books:
        rows.forget_tries(books, subject)
        rows.take_back(books, tried)
        if _HASHER.check_needs_rehash(row.password):
            rows.set_password(books, row.number, hashed(password))
    return shown(row)


def forget_all_tries(books: Books, login: str) -> None:
    """A login is open again for whoever has named no place, and for all devices together."""
    for subject in (tries_of(login), digest(f"all tries of {login}")):
        rows.forget_tries(books, subject)


def keep_device(desk: Desk, number: int) -> str:
    """Somebody has signed in on a device; the token by which it is known to be theirs."""
    token, now = new_token(), desk.clock()
    with alone(desk) as books:
        rows.add_ticket(books, TicketRow(digest(token), DEVICE, number, 0, now, now + DEVICE_MS))
    return token


def show_password(desk: Desk, login: str, password: str, origin: Origin = NOWHERE) -> str:
    """Why a password does not show who somebody is; or nothing."""
    try:
        sign_in(desk, login, password, origin)
    except SignInRefused as refused:
        return refused.code
    return ""


def change_password(
    desk: Desk, who: Staff, password: str, new: str, origin: Origin = NOWHERE
) -> str:
    """Somebody takes another password: why not, or nothing."""
    try:
        check_password(new)
    except ProgramError as error:
        return error.faults[0].code
    if why := show_password(desk, who.login, password, origin):
        return why
    give_password(desk, who.number, new, By(who.login, who.name))
    return ""


def end(desk: Desk, number: int, by: By, *, within: int = 0) -> bool:
    """Somebody has left: no sign-in and no session any more. The last owner of the installation
    who can sign in stays; ``within`` one program nobody else's people leave."""
    with alone(desk) as books:
        everyone = [row for row in rows.all_staff(books) if row.ended is None]
        gone = next((row for row in everyone if row.number == number), None)
        if gone is None or within not in (0, gone.program):
            return False
        owners = [row.number for row in everyone if _is_owner(row)]
        if owners == [number]:
            raise _wrong("last-owner", "This is the last owner. Make another one first.")
        at = desk.clock()
        rows.end_staff(books, number, at)
        record(books, at, by, gone.program, "leave", gone.login)
    return True


def _is_owner(row: StaffRow) -> bool:
    """Whether somebody can sign in and do everything."""
    return row.role == "owner" and not row.program and bool(row.password)


def _fits(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password[:PASSWORD_MAX])
    except (VerificationError, InvalidHashError):
        return False


def _check_partner(desk: Desk, books: Books, program: str, partner: str) -> None:
    """A partner is one of a program, for each sees its own statements and nobody else's."""
    desk.homes.refresh(books)
    home = desk.homes.find(program) if program else None
    if home is None:
        raise _wrong("partner-of-nothing", "A partner is for one program. Choose which.")
    known = outsiders(books, home)
    if partner not in known:
        hint = suggest(partner, known) if known else "Write it under 'partners' in the program."
        message = f"The program has no partner or charity {partner!r}. {hint}"
        raise _wrong("unknown-partner", message)


def _check(programs: dict[str, int], login: str, name: str, role: str, program: str) -> None:
    if role not in ROLES:
        raise _wrong("unknown-role", f"No role is {role!r}. {suggest(role, list(ROLES))}")
    if program and program not in programs:
        hint = suggest(program, list(programs)) if programs else "Publish it first."
        raise _wrong("unknown-program", f"There is no program {program!r} here. {hint}")
    if not _LOGIN.fullmatch(login):
        message = "A login is an e-mail address, or small letters, digits, dots and dashes."
        raise _wrong("bad-login", message)
    if not 0 < len(name.strip()) <= _NAME_LETTERS_MAX or not name.isprintable():
        raise _wrong("bad-name", "A name has at most 100 letters, in one line.")


def _wrong(code: str, message: str) -> ProgramError:
    return ProgramError([Fault(code, message)])
