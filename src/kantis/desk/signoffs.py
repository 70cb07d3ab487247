"""Sign-offs: a version is published only after so many other people have signed its draft.

Guarantee: where signatures are demanded, no door publishes without them, as whoever writes a
version down asks here, in its transaction. A signature is for every byte of the file, for the
day from which it holds and for the version that it follows: with another byte, another day or
another version before it, it is another draft, and nobody has signed that. Nobody signs a draft
that they have put up themselves. What counts is who may sign at the moment of publishing. Less
is demanded only after as many have signed that as were demanded before. Who signed stays with
the version for ever.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Self

from msgspec import Struct, msgpack

from kantis.core.knobs import Fault, ProgramError
from kantis.desk import awaiting, staff
from kantis.desk.audit import By, record
from kantis.desk.chores import chore_alone
from kantis.desk.staff import Staff
from kantis.store import settings
from kantis.store import signoffs as rows
from kantis.store.books import Books
from kantis.store.reading import Reading
from kantis.store.signoffs import DraftRow, SignatureRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

#: What can be put up: a version of the program, or another demand.
VERSION: Final = "version"
DEMAND: Final = "demand"
#: Roles that may be asked for a signature; their places stand in the books.
SIGNERS: Final = ("owner", "manager", "support", "auditor")
COUNT_MAX: Final = 9
REMARK_MAX: Final = 500
#: The settings: how many signatures, and of which roles, each a bit.
COUNT: Final = "sign-offs"
ROLES: Final = "sign-off roles"


class Demand(Struct, frozen=True):
    """So many other people, each of one of these roles, have to sign; 0 is nobody."""

    count: int = 0
    roles: tuple[str, ...] = ()

    @property
    def mask(self) -> int:
        """The roles as bits."""
        return sum(1 << SIGNERS.index(each) for each in self.roles)

    @property
    def mark(self) -> int:
        """A number that no other demand has."""
        return (self.count << len(SIGNERS)) + self.mask

    @property
    def text(self) -> str:
        """What is signed where this is put up.

        >>> Demand(2, ("owner", "auditor")).text
        '2 of owner, auditor'
        """
        return f"{self.count} of {', '.join(self.roles)}"

    @classmethod
    def read(cls, text: str) -> Self:
        """It again.

        >>> Demand.read("2 of owner, auditor") == Demand(2, ("owner", "auditor"))
        True
        """
        count, _, roles = text.partition(" of ")
        return cls(int(count), tuple(each for each in roles.split(", ") if each))

    def weaker_than(self, other: Demand) -> bool:
        """Whether something could be published under it that could not be under the other one.

        >>> Demand(2, ("owner",)).weaker_than(Demand(1, ("owner", "auditor")))
        False
        >>> Demand(2, ("owner", "support")).weaker_than(Demand(1, ("owner",)))
        True
        """
        if not other.count:
            return False
        return self.count < other.count or not set(self.roles) <= set(other.roles)


class Standing(Struct, frozen=True):
    """How far a draft is: who has signed, how many signatures are missing, who can still give
    one, and which version was published meanwhile (0: none)."""

    row: DraftRow
    needed: int
    signed: tuple[SignatureRow, ...]
    can: tuple[Staff, ...]
    overtaken: bool

    @property
    def missing(self) -> int:
        """So many signatures are missing."""
        return max(0, self.needed - len(self.signed))

    @property
    def ready(self) -> bool:
        """Whether it can be published."""
        return not self.missing and not self.overtaken

    def signature(self, number: int) -> SignatureRow | None:
        """That of somebody."""
        return next((each for each in self.signed if each.staff == number), None)

    def waits_for(self, number: int) -> bool:
        """Whether somebody's signature is awaited."""
        return (
            self.missing > 0
            and not self.overtaken
            and any(each.number == number for each in self.can)
        )


# ── what there is ────────────────────────────────────────────────────────────


def demand(books: Reading, program: int) -> Demand:
    """What is demanded for a program."""
    count = settings.setting(books, program, COUNT) or 0
    mask = settings.setting(books, program, ROLES) or 0
    roles = tuple(each for n, each in enumerate(SIGNERS) if mask >> n & 1)
    return Demand(count, roles) if count else Demand()


def digest(kind: str, program: int, after: int, since: int, source: str) -> bytes:
    """What is signed: everything that is put up, and what it follows."""
    said = msgpack.encode((kind, program, after, since, source))
    return hashlib.sha256(said).digest()


def signers(books: Reading, program: int, wanted: Demand) -> list[Staff]:
    """Everybody who may sign for a program."""
    return [
        each
        for each in staff.everybody(books)
        if each.ended is None and each.role in wanted.roles and each.program in (0, program)
    ]


def standing(books: Reading, row: DraftRow) -> Standing:
    """How far a draft is."""
    return _standing(books, row, rows.signatures(books, row.program).get(row.number, []))


def awaited(books: Reading, program: int, draft: int, number: int) -> Standing | None:
    """A draft that waits for somebody's signature; ``None`` where it does not."""
    row = rows.draft(books, program, draft)
    found = standing(books, row) if row is not None and row.closed is None else None
    return found if found is not None and found.waits_for(number) else None


def standings(books: Reading, program: int) -> list[Standing]:
    """How far all drafts of a program are that wait, the newest first."""
    waiting = rows.open_drafts(books, program)
    signed = rows.signatures(books, program) if waiting else {}
    return [_standing(books, row, signed.get(row.number, [])) for row in waiting]


def _standing(books: Reading, row: DraftRow, given: list[SignatureRow]) -> Standing:
    wanted = demand(books, row.program)
    may = {each.number: each for each in signers(books, row.program, wanted)}
    may.pop(row.staff, None)
    signed = tuple(each for each in given if each.staff in may or not wanted.count)
    left = tuple(may[each] for each in may if each not in {one.staff for one in signed})
    # whose hands an unknown author has, nobody knows: one of those who sign could be it
    needed = wanted.count + (wanted.count > 0 and not row.staff)
    return Standing(row, needed, signed, left, row.after != _follows(books, row.program, row.kind))


def _follows(books: Reading, program: int, kind: str) -> int:
    """What is in force now, as a number."""
    if kind == DEMAND:
        return demand(books, program).mark
    return books.versions(program)[-1].number


# ── the guard ────────────────────────────────────────────────────────────────


def guard(
    books: Books, program: int, name: str, after: int, since: int, source: str
) -> Standing | None:
    """The signed draft of what is about to be published, if there is one; ``ProgramError``
    where signatures are demanded and missing. For the transaction that publishes."""
    row = rows.open_draft(books, program, digest(VERSION, program, after, since, source))
    found = standing(books, row) if row is not None else None
    wanted = demand(books, program)
    if found is None and wanted.count:
        raise ProgramError([_unsigned(name, wanted)])
    if found is not None and found.missing:
        raise ProgramError([_missing(found)])
    return found


def close(books: Books, found: Standing, now: int, version: int = 0) -> None:
    """A draft is done; the signatures that stay with it are those that counted."""
    counted = {each.number for each in found.signed}
    for each in rows.signatures(books, found.row.program).get(found.row.number, []):
        if each.number not in counted:
            rows.unsign(books, each.number, now)
    rows.close(books, found.row.number, now, version)


def _unsigned(name: str, wanted: Demand) -> Fault:
    people = "another person" if wanted.count == 1 else f"{wanted.count} other people"
    message = (
        f"A version of {name!r} needs the signatures of {people} ({', '.join(wanted.roles)}), and "
        "nobody was asked for exactly this file, from this day on, after the newest version. Put "
        "it up for signatures: in the editor of the console, with kantis publish --put-up, or "
        f"with POST /v1/programs/{name}/drafts."
    )
    return Fault("signatures-missing", message)


def _missing(found: Standing) -> Fault:
    names = ", ".join(each.name for each in found.can) or "nobody yet; an owner invites people"
    missing = "1 signature is" if found.missing == 1 else f"{found.missing} signatures are"
    message = (
        f"Draft {found.row.number} has {len(found.signed)} of {found.needed} signatures; {missing} "
        f"missing. They sign in the console, under Drafts. Who can: {names}."
    )
    return Fault("signatures-missing", message)


# ── drafts and signatures ────────────────────────────────────────────────────


def put_up(desk: Desk | RemoteDesk, name: str, since: int, source: str, by: By, number: int) -> int:
    """Put a version up for signatures; the number of its draft. ``since`` 0 is at once; the
    staff ``number`` is 0 for whoever has not signed in. The same again is the same draft."""
    return int(desk.chore("put_up_draft", name, since, source, [by.who, by.name], number))


def sign(
    desk: Desk | RemoteDesk, program: int, draft: int, number: int, remark: str, by: By
) -> None:
    """Sign a draft. The same again changes nothing; ``ProgramError`` where it cannot be."""
    desk.chore("sign_draft", program, draft, number, remark, [by.who, by.name])


def unsign(desk: Desk | RemoteDesk, program: int, draft: int, number: int, by: By) -> None:
    """Take one's signature back, as long as the draft is not published."""
    desk.chore("unsign_draft", program, draft, number, [by.who, by.name])


def drop(desk: Desk | RemoteDesk, program: int, draft: int, by: By) -> None:
    """Take a draft back; the same again changes nothing."""
    desk.chore("drop_draft", program, draft, [by.who, by.name])


def settle(desk: Desk | RemoteDesk, program: int, wanted: Demand, number: int, by: By) -> int:
    """Demand something else: at once where that is no weaker, and else it is put up for as many
    signatures as are demanded now; the number of that draft, or 0."""
    given = wanted.count, list(wanted.roles), number, [by.who, by.name]
    return int(desk.chore("settle_demand", program, *given))


def settle_signed(desk: Desk | RemoteDesk, program: int, draft: int, by: By) -> None:
    """A demand that was signed holds from now on."""
    desk.chore("settle_signed_demand", program, draft, [by.who, by.name])


@chore_alone
def put_up_draft(
    books: Books, now: int, name: str, since: int, source: str, by: list[str], number: int
) -> int:
    """Write a draft down."""
    program = books.programs().get(name, 0)
    if not program:
        message = f"There is no program {name!r} yet: its first version needs no signature."
        raise ProgramError([Fault("unknown-program", message)])
    after = _follows(books, program, VERSION)
    return _put_up(books, now, program, VERSION, after, since, source, By(*by), number)


def _put_up(
    books: Books, now: int, program: int, kind: str, after: int, since: int, source: str,
    by: By, number: int,
) -> int:  # fmt: skip
    made = digest(kind, program, after, since, source)
    found = rows.open_draft(books, program, made)
    if found is not None:
        return found.number
    row = DraftRow(0, program, kind, made, after, since, source, now, number, by.name or by.who)
    draft = rows.put_up(books, row)
    record(books, now, by, program, "draft", str(draft), kind=kind, digest=made.hex())
    awaiting.ask(books, now, program, draft, standing(books, row._replace(number=draft)).can)
    return draft


@chore_alone
def sign_draft(
    books: Books, now: int, program: int, draft: int, number: int, remark: str, by: list[str]
) -> bool:
    """Write a signature down."""
    found = _waiting(books, program, draft)
    if found.row.staff == number:
        message = "Nobody signs a draft of their own. Ask somebody else."
        raise ProgramError([Fault("own-draft", message)])
    if found.overtaken:
        raise ProgramError([_overtaken()])
    if found.signature(number) is not None:
        return False
    who = next((each for each in found.can if each.number == number), None)
    if who is None:
        message = "Your signature is not among those that are demanded. An owner says whose are."
        raise ProgramError([Fault("no-signer", message)])
    remark = remark.replace("\x00", "").strip()[:REMARK_MAX]
    rows.sign(books, SignatureRow(0, draft, number, who.name, who.role, now, remark))
    said = {"digest": found.row.digest.hex(), "remark": remark}
    record(books, now, By(*by), program, "sign", str(draft), **said)
    return True


@chore_alone
def unsign_draft(
    books: Books, now: int, program: int, draft: int, number: int, by: list[str]
) -> bool:
    """Write down that a signature counts no longer."""
    found = _waiting(books, program, draft)
    mine = found.signature(number)
    if mine is not None:
        rows.unsign(books, mine.number, now)
        record(books, now, By(*by), program, "unsign", str(draft))
    return mine is not None


@chore_alone
def drop_draft(books: Books, now: int, program: int, draft: int, by: list[str]) -> bool:
    """Write down that a draft waits no longer."""
    row = rows.draft(books, program, draft)
    if row is not None and row.closed is not None and not row.version:
        return False
    rows.close(books, _waiting(books, program, draft).row.number, now)
    record(books, now, By(*by), program, "drop", str(draft))
    return True


def _waiting(books: Books, program: int, draft: int) -> Standing:
    row = rows.draft(books, program, draft)
    if row is None:
        message = f"There is no draft {draft} here."
        raise ProgramError([Fault("unknown-draft", message)])
    if row.closed is not None:
        message = f"Draft {draft} waits no longer: what was signed stays as it was."
        raise ProgramError([Fault("draft-closed", message)])
    return standing(books, row)


def _overtaken() -> Fault:
    message = (
        "Something else was published or settled after this was put up, so it would change "
        "something else now. Put it up again, and look at the new difference."
    )
    return Fault("draft-overtaken", message)


# ── how many are demanded ────────────────────────────────────────────────────


@chore_alone
def settle_demand(
    books: Books, now: int, program: int, count: int, roles: list[str], number: int, by: list[str]
) -> int:
    """Write another demand down, or put it up for signatures."""
    wanted = _checked(books, program, count, roles, number)
    before = demand(books, program)
    if wanted == before:
        return 0
    if wanted.weaker_than(before):
        source, who = wanted.text, By(*by)
        return _put_up(books, now, program, DEMAND, before.mark, 0, source, who, number)
    _settle(books, now, program, wanted, By(*by), ())
    return 0


@chore_alone
def settle_signed_demand(books: Books, now: int, program: int, draft: int, by: list[str]) -> bool:
    """Write down a demand that was put up."""
    found = _waiting(books, program, draft)
    if found.row.kind != DEMAND:
        raise ProgramError([Fault("unknown-draft", f"Draft {draft} is a version.")])
    if found.overtaken:
        raise ProgramError([_overtaken()])
    if found.missing:
        raise ProgramError([_missing(found)])
    _settle(books, now, program, Demand.read(found.row.source), By(*by), found.signed)
    close(books, found, now)
    return True


def _checked(books: Books, program: int, count: int, roles: list[str], number: int) -> Demand:
    if not 0 <= count <= COUNT_MAX or (count and not roles) or set(roles) - set(SIGNERS):
        message = f"0 to {COUNT_MAX} people sign, of at least one role: {', '.join(SIGNERS)}."
        raise ProgramError([Fault("bad-demand", message)])
    wanted = Demand(count, tuple(each for each in SIGNERS if each in roles) if count else ())
    others = [each for each in signers(books, program, wanted) if each.number != number]
    if len(others) < count:
        message = (
            f"Beside you there are {len(others)} people with these roles. Invite more first, or "
            "nobody could publish any more."
        )
        raise ProgramError([Fault("too-few-people", message)])
    return wanted


def _settle(
    books: Books, now: int, program: int, wanted: Demand, by: By, signed: tuple[SignatureRow, ...]
) -> None:
    before = demand(books, program)
    settings.settle(books, program, COUNT, wanted.count or None)
    settings.settle(books, program, ROLES, wanted.mask or None)
    said = {"was": before.text, "signed": named(signed)}
    record(books, now, by, program, "sign-offs", wanted.text, **said)


def named(signed: tuple[SignatureRow, ...]) -> list[str]:
    """Who signed, for the audit log."""
    return [f"{each.name} ({each.role})" for each in signed]
