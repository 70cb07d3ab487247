"""Vault: the personal data of members, found by keyed hashes and opened one by one.

Guarantee: no name, address or number of a person is in the books, in a log or in a message:
what the books hold is sealed with AES-256-GCM under a key of that member alone, and found by
HMACs under a key derived from the master key. Who was erased cannot be read again, whatever
copy of the books comes back. Nothing personal is given out before the commit of the row
that says who reads it.

What finds an e-mail address or a telephone number is a hash of its one form; what finds a
name are hashes of the starts of its words. Another program gives other hashes, so members of
two programs cannot be told to be the same person from the books.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct, msgpack, structs

from kantis.desk.vault import person as persons
from kantis.desk.vault.keyfile import Keys, unwrap, wrap
from kantis.desk.vault.person import Person
from kantis.store import people
from kantis.store.people import EMAIL, NAME, PHONE, MemberRow, Slip
from kantis.store.reading import Reading
from kantis.store.rows import Row

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

TAG_BYTES: Final = 12
#: So many keys are made at once, before their members come.
SPARE: Final = 32
#: Members that a search finds at most.
FOUND_MAX: Final = 50
#: Rows that a search for a name looks at.
_LOOKED_MAX: Final = 500

_decode = msgpack.Decoder(Person).decode


class Member(Struct, frozen=True):
    """A member with the personal data; without any for somebody who was erased."""

    row: MemberRow
    person: Person | None


class Reader(Struct, frozen=True):
    """Who reads, and what for."""

    who: str
    why: str


class Refusal(Exception):
    """Why something is not done with a member: a code of ``REFUSALS``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Vault:
    """The vault of an installation. Any thread may use it, with a reader of its own."""

    def __init__(self, desk: Desk | RemoteDesk, keys: Keys) -> None:
        self.desk, self.keys = desk, keys
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._waiting: list[_Ticket] = []
        self._spare: deque[tuple[str, bytes]] = deque()

    # ── hashes ───────────────────────────────────────────────────────────────

    def _tag(self, secret: bytes, program: int, kind: int, form: str) -> bytes:
        said = f"{program} {kind} {form}".encode()
        return hmac.digest(secret, said, hashlib.sha256)[:TAG_BYTES]

    def _marks(self, secret: bytes, program: int, person: Person) -> list[Row]:
        forms = [(NAME, start) for start in persons.starts(person.name)]
        if person.email:
            forms.append((EMAIL, persons.email_form(person.email)))
        if person.phone:
            forms.append((PHONE, person.phone))
        return [(program, kind, self._tag(secret, program, kind, form)) for kind, form in forms]

    def _unique(self, program: int, person: Person) -> list[Row]:
        """What nobody else may have, under each master key that there is."""
        if not person.email:
            return []
        form, known = persons.email_form(person.email), self.keys.derived("index").values()
        return [(program, EMAIL, self._tag(each, program, EMAIL, form)) for each in known]

    def _index(self) -> tuple[int, bytes]:
        return list(self.keys.derived("index").items())[-1]

    def secret(self, purpose: str, about: str) -> bytes:
        """32 bytes that nobody else can work out, the same for the same words."""
        return self.secrets(purpose, about)[-1]

    def secrets(self, purpose: str, about: str) -> list[bytes]:
        """As ``secret``, under each master key that there is, the newest last."""
        keys = self.keys.derived(purpose).values()
        return [hmac.digest(key, about.encode(), hashlib.sha256) for key in keys]

    def mark_of_email(self, email: str) -> str:
        """What a link that confirms an e-mail address is known by: of no other address."""
        return self.secret("confirming", persons.email_form(email)).hex()[:32]

    # ── looking up ───────────────────────────────────────────────────────────

    def by_email(self, books: Reading, program: int, email: str) -> list[Member]:
        """Who has an e-mail address; nobody else of the program has the same."""
        return self._exact(books, program, EMAIL, persons.email_form(email))

    def email_tags(self, program: int, email: str) -> list[bytes]:
        """What finds whoever has an e-mail address, under each master key that there is."""
        form, known = persons.email_form(email), self.keys.derived("index").values()
        return [self._tag(each, program, EMAIL, form) for each in known]

    def by_email_tags(self, books: Reading, program: int, tags: bytes) -> list[Member]:
        """Who has the e-mail address that tags were made of, one behind the other."""
        each = [tags[at : at + TAG_BYTES] for at in range(0, len(tags), TAG_BYTES)]
        numbers = [n for tag in each for n in people.marked(books, program, EMAIL, [tag], 1)]
        found = self.open(people.by_number(books, sorted(set(numbers))))
        return [member for member in found if member.person and member.person.email]

    def by_phone(self, books: Reading, program: int, phone: str) -> list[Member]:
        """Who has a telephone number; a family may share one."""
        return self._exact(books, program, PHONE, persons.phone_form(phone))

    def _exact(self, books: Reading, program: int, kind: int, form: str) -> list[Member]:
        numbers: list[int] = []
        for secret in self.keys.derived("index").values():
            tag = self._tag(secret, program, kind, form)
            numbers += people.marked(books, program, kind, [tag], FOUND_MAX)
        found = self.open(people.by_number(books, sorted(set(numbers))))
        return [each for each in found if each.person and _form(each.person, kind) == form]

    def by_name(self, books: Reading, program: int, name: str) -> list[Member]:
        """Who has a name with words that begin so, at most ``FOUND_MAX``, those first whose
        name is written with the same accents."""
        starts = persons.asked(name)
        numbers: list[int] = []
        for secret in self.keys.derived("index").values():
            tags = [self._tag(secret, program, NAME, each) for each in dict.fromkeys(starts)]
            numbers += people.marked(books, program, NAME, tags, FOUND_MAX * 2)
        rows = people.by_number(books, sorted(set(numbers))[:_LOOKED_MAX])
        found = [x for x in self.open(rows) if x.person and persons.fits(x.person.name, name)]
        accents = persons.accented(name)
        found.sort(key=lambda x: accents not in persons.accented(x.person.name if x.person else ""))
        return found[:FOUND_MAX]

    def by_card(self, books: Reading, program: int, card: str) -> list[Member]:
        """Whose card it is."""
        account = books.cards([(program, card)]).get((program, card))
        return self._of(books, program, [account] if account else [])

    def by_receipt(self, books: Reading, program: int, receipt: str) -> list[Member]:
        """Who bought with a receipt: the id of the purchase, or the receipt in it."""
        return self._of(books, program, people.by_receipt(books, program, receipt))

    def _of(self, books: Reading, program: int, accounts: list[int]) -> list[Member]:
        rows = people.by_account(books, sorted(set(accounts)))
        return self.open([row for row in rows if row.program == program][:FOUND_MAX])

    def by_id(self, books: Reading, program: int, member: str) -> Member | None:
        """A member of a program."""
        found = people.by_id(books, [member])
        if not found or found[0].program != program:
            return None
        return self.open(found)[0]

    def open(self, rows: Sequence[MemberRow]) -> list[Member]:
        """Members with their personal data. Whose key was destroyed has none, whatever the
        books say."""
        keys = self.keys.find([row.id for row in rows if row.sealed])
        return [
            Member(row, _decode(unwrap(keys[row.id], row.id, row.sealed)))
            if row.sealed and row.id in keys
            else Member(row, None)
            for row in rows
        ]

    # ── writing ──────────────────────────────────────────────────────────────

    def enrol(
        self, program: int, account: int, event: str, person: Person, said: bytes, now: int
    ) -> str:
        """Keep the personal data of a new member; the id. ``Refusal`` when the e-mail address
        is somebody's."""
        slip, member = self.draft(program, account, event, person, said, now)
        (outcome,) = self.file(slip)
        if outcome:
            raise Refusal(outcome)
        return member

    def draft(
        self, program: int, account: int, event: str, person: Person, said: bytes, now: int
    ) -> tuple[Slip, str]:
        """What is to be written of a new member, and the id."""
        member, key = self._key()
        person = structs.replace(person, said=_mac(key, said))
        number, secret = self._index()
        sealed = wrap(key, member, msgpack.encode(person))
        new = (member, program, account, event, 1, now, now, number, sealed, None)
        marks, unique = self._marks(secret, program, person), self._unique(program, person)
        return Slip(member, new=new, marks=marks, unique=unique), member

    def said_before(self, member: Member, said: bytes) -> bool:
        """Whether a member was enrolled by a request with these bytes."""
        key = self.keys.find([member.row.id]).get(member.row.id)
        return bool(key and member.person and member.person.said == _mac(key, said))

    def reserve(self, count: int) -> None:
        """Make the keys of so many members at once, for whoever brings many."""
        with self._lock:
            missing = max(0, count - len(self._spare))
            ids = [secrets.token_hex(12) for _ in range(missing)]
            self._spare.extend(self.keys.make(ids).items() if ids else ())

    def _key(self) -> tuple[str, bytes]:
        """A new id with its key."""
        with self._lock:
            if not self._spare:
                ids = [secrets.token_hex(12) for _ in range(SPARE)]
                self._spare.extend(self.keys.make(ids).items())
            return self._spare.popleft()

    def change(self, member: Member, person: Person, now: int, *, version: int = 0) -> None:
        """Keep other personal data; ``Refusal`` when somebody else changed them meanwhile."""
        row, before = member.row, member.person
        key = self.keys.find([row.id]).get(row.id)
        if before is None or key is None:
            raise Refusal("erased")
        number, secret = self._index()
        old: dict[Row, None] = {}
        for each in self.keys.derived("index").values():
            old |= dict.fromkeys(self._marks(each, row.program, before))
        new = self._marks(secret, row.program, person)
        gone = [each for each in old if each not in new]
        come = [each for each in new if row.indexed != number or each not in old]
        sealed = wrap(key, row.id, msgpack.encode(person))
        changed = (row.id, version or row.version, now, number, sealed)
        unique = self._unique(row.program, person)
        slip = Slip(row.id, change=changed, marks=come, gone=gone, unique=unique)
        (outcome,) = self.file(slip)
        if outcome:
            raise Refusal(outcome)

    def move(self, member: Member, account: int, now: int) -> None:
        """A member has another account from now on, under the same id and with all that is known
        of them; ``Refusal`` when somebody else changed them meanwhile."""
        moved = (member.row.id, member.row.version, now, account)
        (outcome,) = self.file(Slip(member.row.id, move=moved))
        if outcome:
            raise Refusal(outcome)

    def erase(self, member: Member, cards: Iterable[Row], now: int) -> None:
        """Destroy the key, then the rest. When it is stopped half way, erasing again ends it."""
        row, gone = member.row, []
        if member.person is not None:
            for secret in self.keys.derived("index").values():
                gone += self._marks(secret, row.program, member.person)
        self.keys.destroy([row.id], now)
        self.file(Slip(row.id, erase=(row.id, now), gone=gone, cards=list(cards)))

    def note(self, members: Iterable[Member], reader: Reader, fields: Sequence[str]) -> None:
        """Write down who reads which personal data of whom; give them out after it."""
        now = self.desk.clock()
        rows = [
            (now, reader.who, each.row.id, reader.why, " ".join(fields))
            for each in members
            if each.person is not None
        ]
        if rows:
            self.file(Slip(readings=rows))

    def file(self, *slips: Slip) -> list[str]:
        """Write slips, with those of others that wait; what became of each, after the commit."""
        if not slips:
            return []
        ticket = _Ticket(list(slips))
        with self._lock:
            self._waiting.append(ticket)
        with self._writing:
            if not ticket.outcomes and ticket.error is None:
                with self._lock:
                    joined, self._waiting = self._waiting, []
                self._write(joined)
        if ticket.error is not None:
            raise ticket.error
        return ticket.outcomes

    def _write(self, joined: list[_Ticket]) -> None:
        try:
            outcomes = self.desk.file_slips([slip for each in joined for slip in each.slips])
        except Exception as error:
            for each in joined:
                each.error = error
            return
        for each in joined:
            each.outcomes = outcomes[: len(each.slips)]
            del outcomes[: len(each.slips)]

    # ── words beside the person ──────────────────────────────────────────────

    def seal(self, member: str, about: str, said: str) -> bytes:
        """Words sealed under the key of a member, for one thing only; ``Refusal`` where that key
        was destroyed."""
        key = self.keys.find([member]).get(member)
        if key is None:
            raise Refusal("member-erased")
        return wrap(key, f"{member} {about}", said.encode())

    def unseal(self, member: str, words: Mapping[str, bytes | None]) -> dict[str, str]:
        """Words by what they are about; empty ones where there are none, or the key was
        destroyed."""
        key = self.keys.find([member]).get(member) if any(words.values()) else None
        return {
            about: unwrap(key, f"{member} {about}", data).decode() if key and data else ""
            for about, data in words.items()
        }

    # ── another master key ───────────────────────────────────────────────────

    def index_again(self, books: Reading, above: int, count: int) -> int:
        """Mark some members anew whose marks are under an older master key; the number of the
        last one, 0 at the end."""
        number, secret = self._index()
        rows = people.indexed_before(books, number, above, count)
        slips = []
        known = self.keys.derived("index")
        for member in self.open(rows):
            row, gone, marks = member.row, [], []
            if member.person is not None:
                marks = self._marks(secret, row.program, member.person)
                if row.indexed in known:
                    gone = self._marks(known[row.indexed], row.program, member.person)
            indexed = (row.id, row.version, number)
            slips.append(Slip(row.id, indexed=indexed, marks=marks, gone=gone))
        if slips:
            self.file(*slips)
        return rows[-1].number if rows else 0


class _Ticket:
    """Slips that wait to be written, and what became of them."""

    def __init__(self, slips: list[Slip]) -> None:
        self.slips = slips
        self.outcomes: list[str] = []
        self.error: Exception | None = None


def _mac(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, said, hashlib.sha256)


def _form(person: Person, kind: int) -> str:
    return persons.email_form(person.email) if kind == EMAIL else person.phone
