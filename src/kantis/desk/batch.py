"""Batch: many events, one transaction.

Guarantee: an event is recorded once, under its key, together with everything that it
causes, or not at all; a batch cut anywhere gives the same books; the number of statements
does not depend on the number of events.

The steps of ``decide``: drop what came before; find and lock accounts in the order of
their ids; read what the decisions have to see; decide one by one in the order of arrival.
The steps of ``write``: write everything; take the shared limits; and, when one of them
turns out short, decide those who looked at a limit once more, on what the locked rows say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from kantis.core.account import NEVER, Account, decode_account, encode_account
from kantis.core.decision import DESK, Context, apply
from kantis.core.events import (
    Enrol,
    Event,
    Join,
    Leave,
    Merge,
    Purchase,
    Refer,
    Transfer,
    encode_body,
)
from kantis.desk import booking
from kantis.desk.cache import Cache
from kantis.desk.foresight import Foresight
from kantis.desk.freezing import waits_for
from kantis.desk.programs import Homes
from kantis.desk.recorded import OUT_OF_RANGE, entry_of, event_of, flag_of
from kantis.desk.results import ALONE as LEFT_ALONE
from kantis.desk.results import BAD as SET_ASIDE
from kantis.desk.results import DECIDED as SETTLED
from kantis.desk.results import PARKED as WAITS
from kantis.desk.results import REFUSED, Result, keyless, refuse
from kantis.desk.tasks import Live, Task
from kantis.store.books import Books
from kantis.store.chain import EMPTY
from kantis.store.rows import AccountRow, Ahead, EventRow
from kantis.store.schema import ALONE, BAD, DECIDED, PARKED, READY

#: How far in the future an event may lie: clocks differ.
AHEAD_MS: Final = 120_000
#: No event is later than this, whoever says so: some 280,000 years from 1970.
TIME_END: Final = 1 << 53
#: How many waiting events a batch takes up beside its own.
READY_MAX: Final = 1_000

#: Which word of an event names another account; what happened is told to it.
_NAMES: Final[dict[type, str]] = {
    Join: "into", Leave: "to", Merge: "into", Refer: "by", Transfer: "to",
}  # fmt: skip
_ACCOUNT_LETTERS: Final = 27

#: A program and the token of a card.
Card = tuple[int, str]

_NOTHING = Context()
_OUTCOMES = {READY: WAITS, PARKED: WAITS, BAD: SET_ASIDE, ALONE: LEFT_ALONE}


class Request(Struct, array_like=True):
    """Events of one caller, for one program ("": the only one)."""

    program: str
    events: list[Event]
    importing: bool = False
    #: the number of the key it came with, which the batch has to look at; 0: it was looked at
    key: int = 0


def ahead(requests: Sequence[Request], homes: Homes, cache: Cache | None, ready: int) -> Ahead:
    """What a batch of these requests is going to ask, as far as it can be known before."""
    keys: dict[str, None] = {}
    cards: set[Card] = set()
    accounts: set[int] = set()
    shown = {request.key for request in requests if request.key}
    known = cache.cards if cache is not None else {}
    for request in requests:
        home = homes.find(request.program)
        for event in request.events if home is not None else ():
            key, subject = f"{event.source}/{event.id}", event.subject
            if home is None or _malformed(event, key):
                continue
            keys[key] = None
            if subject[:5] == "card:":
                card = home.number, subject[5:]
                if card in known:
                    accounts.add(known[card])
                else:
                    cards.add(card)
            elif subject:
                accounts.add(int(subject[8:]))
    return Ahead(
        ready, sorted(shown), list(keys), sorted(cards), sorted(accounts), homes.stops.last
    )


class Batch:
    """One transaction: ``decide``, ``write``, and after the commit ``results``."""

    def __init__(self, books: Books, homes: Homes, cache: Cache | None, now: int) -> None:
        self.books, self.homes, self.cache, self.now = books, homes, cache, now
        self.engine = homes.engine
        if cache is not None:
            cache.read_as_of(homes.edition)
        self.answers: list[list[Result | Task]] = []
        self.tasks: list[Task] = []
        self.lives: dict[int, Live] = {}
        #: cards that were looked up, and cards that get an account in this batch
        self.found: dict[Card, int] = {}
        self.opened: dict[Card, int] = {}
        self.foresight = Foresight(books)

    def decide(self, requests: Sequence[Request], ready: int = READY_MAX, aside: str = "") -> None:
        """Find, lock and decide; nothing is written yet.

        ``ready`` is how many waiting events are taken up. ``aside`` is why nothing can be
        decided: everything is recorded, and set aside.
        """
        if ready:
            self._take_up(ready)
        shown = {request.key for request in requests if request.key}
        revoked = self.books.revoked(sorted(shown)) if shown else ()
        for request in requests:
            if request.key in revoked:
                keys = [f"{each.source}/{each.id}" for each in request.events]
                self.answers.append([keyless(key) for key in keys])
            else:
                self._receive(request)
        self._drop_repeated()
        self._find_accounts()
        self._foresee()
        for task in self.tasks:
            if aside and not task.state:
                task.state, task.note = BAD, aside
            self._decide(task)
            if task.row is None:
                task.body = encode_body(task.event.body)  # while its lines are at hand

    def advance(self, accounts: list[int], *, history: bool) -> None:
        """Let time pass for accounts, up to now; nothing is written yet."""
        self._load(set(accounts))
        for live in self.lives.values():
            try:
                entries = self.engine.advance(live.home.program, live.account, self.now)
            except Exception as error:
                live.account, live.broken = self._before(live), f"{type(error).__name__}: {error}"
                continue
            for entry in entries:
                booked = entry.at if history else self.now
                live.book(entry, history, booked, entry.at)
                self.foresight.claim(live.home.number, entry.decision.claims)

    # ── what the batch is about ──────────────────────────────────────────────

    def _take_up(self, count: int) -> None:
        """Recorded events that wait: follow-ups, and what was parked and is known now."""
        for row in self.books.ready(count):
            home, event = self.homes.numbered(row.program), event_of(row)
            task = Task(event, home, bool(row.imported), row.key, event.time, row)
            task.flag = flag_of(row.note)
            self.tasks.append(task)

    def _receive(self, request: Request) -> None:
        home, imported, now = self.homes.find(request.program), request.importing, self.now
        answers: list[Result | Task] = []
        self.answers.append(answers)
        latest, stops = now + AHEAD_MS, self.homes.stops.cards
        earliest = now - home.late_ms if home is not None and not imported else 0
        for event in request.events:
            source, time, ask = event.source, event.time, event.ask
            key, flag, counts = f"{source}/{event.id}", "", time or now
            if not earliest <= counts <= latest:
                counts, flag = now, OUT_OF_RANGE
            elif stops and home is not None and event.subject[:5] == "card:":
                flag = stops.get((home.number, event.subject[5:]), "")
            code = _malformed(event, key) if home is not None else "unknown-program"
            if home is None or code:
                answers.append(refuse(key, code))
                continue
            received = counts if imported else now
            said = Event(source, event.id, time, event.subject, event.body, received, ask)
            task = Task(said, home, imported, key, counts, flag=flag)
            answers.append(task)
            self.tasks.append(task)

    def _drop_repeated(self) -> None:
        """What came before, in an earlier batch or in this one, gets its first answer again."""
        first: dict[str, Task] = {}
        for task in self.tasks:
            twin = first.setdefault(task.key, task)
            if twin is not task:
                task.again = twin
        keys = [key for key, task in first.items() if task.row is None]
        known = self.books.events(keys) if keys else []
        if known:
            self._repeat(first, known)
        for task in first.values():
            if task.flag and task.event.ask and task.result is None:
                task.result = refuse(task.key, task.flag)
        self.tasks = [task for task in first.values() if task.result is None]

    def _repeat(self, first: dict[str, Task], known: list[EventRow]) -> None:
        places = [(row.account or 0, row.seq or 0) for row in known if row.state == DECIDED]
        found = {
            (row.account, row.seq): entry_of(row, postings)
            for row, postings in self.books.entries(places)
        }
        for row in known:
            task, account = first[row.key], row.account or 0
            entry = found.get((account, row.seq or 0)) if row.state == DECIDED else None
            if not task.same_as(row):
                task.result = refuse(row.key, "id-reused")
            elif entry is None:
                task.result = Result(row.key, _OUTCOMES[row.state], account, again=True)
            elif entry.event != row.key:  # a purchase that was claimed later
                task.result = Result(row.key, LEFT_ALONE, again=True)
            else:
                refusal = entry.decision.refusal
                outcome = REFUSED if refusal else SETTLED
                task.result = Result(row.key, outcome, account, entry, refusal, True)

    # ── accounts ─────────────────────────────────────────────────────────────

    def _find_accounts(self) -> None:
        """Whose events these are; then the accounts, locked in the order of their ids."""
        known = self.cache.cards if self.cache else {}
        strange: list[Task] = []
        for task in self.tasks:
            subject = task.event.subject
            if subject[:5] == "card:":
                task.account = known.get((task.home.number, subject[5:]), 0)
            elif _is_account(subject):
                task.account = int(subject[8:])
            if not task.account:
                strange.append(task)
        if strange:
            self._look_up(strange)
        stops = self.homes.stops
        for task in self.tasks if stops.merged else ():
            task.account = stops.lives(task.account)
        self._load({task.account for task in self.tasks if task.account})

    def _look_up(self, strange: list[Task]) -> None:
        """Find the cards in the books; who enrols on a new one gets a new account."""
        cards = list(map(_card, strange))
        wanted = {card for card in cards if card is not None}
        if wanted:
            self.found = self.books.cards(sorted(wanted))
        opening: list[Task] = []
        for task, card in zip(strange, cards, strict=True):
            if card is not None:
                task.account = self.found.get(card, self.opened.get(card, 0))
            if not task.account and isinstance(task.event.body, Enrol):
                opening.append(task)
                task.account = -len(opening)
                if card is not None:
                    self.opened[card] = task.account
        ids = self.books.new_ids(len(opening)) if opening else []
        for task in strange:
            if task.account < 0:
                task.account = ids[-task.account - 1]
        self.opened = {card: ids[-number - 1] for card, number in self.opened.items()}
        for task, number in zip(opening, ids, strict=True):
            self.lives[number] = Live(number, task.home, Account(number), EMPTY, opened=True)
        nameless = [task for task in strange if not task.event.subject and not task.account]
        if nameless:
            self.foresight.owners(nameless, self.tasks)

    def _load(self, ids: set[int]) -> None:
        lives, cache = self.lives, self.cache
        missing = []
        for number in ids:
            found = cache.take(number) if cache is not None and cache.alone else None
            if found is not None:
                program, account, head, size = found
                home = self.homes.numbered(program)
                lives[number] = Live(number, home, account, head, size)
            elif number not in lives:
                missing.append(number)
        for row in self.books.accounts(missing) if missing else ():
            home = self.homes.numbered(row.program)
            known = cache.take_as(row) if cache is not None else None
            account = known if known is not None else _stored(row)
            lives[row.id] = Live(row.id, home, account, row.head, len(row.snapshot))

    # ── deciding ─────────────────────────────────────────────────────────────

    def _foresee(self) -> None:
        """Place each event on its account, and read what the decisions will have to see."""
        needs, frozen = self.engine.needs, self.homes.freezes.held
        for task in self.tasks:
            live = self.lives.get(task.account)
            if live is None or live.home is not task.home:
                self._without_account(task)
                continue
            if frozen and not task.imported and self._is_frozen(task):
                continue
            live.tasks.append(task)
            need = needs(live.home.program, live.account, task.event)
            if need.originals or need.receipts or need.limits:
                self.foresight.expect(live, task, need)
        self.foresight.remember(self.tasks)
        self.foresight.read()

    def _is_frozen(self, task: Task) -> bool:
        """Whether points may not be spent now: who asks is refused, and what was told waits."""
        program, account, event = task.home.number, task.account, task.event
        code = self.homes.freezes.forbids(self.books, program, account, event, self.now)
        if not code:
            return False
        task.account = 0
        if event.ask:
            task.result = refuse(task.key, code)
        else:
            task.state, task.waits = PARKED, waits_for(program, account)
        return True

    def _without_account(self, task: Task) -> None:
        """No member: kept as a baseline, parked until the member is known, or refused."""
        event, task.account = task.event, 0
        if task.state == ALONE:
            return
        if not event.subject and isinstance(event.body, Purchase):
            task.state = ALONE
        elif not event.subject and not hasattr(event.body, "of"):
            task.result = refuse(task.key, "member-missing")
        elif event.ask:
            kind = event.subject.partition(":")[0] or "original"
            task.result = refuse(task.key, f"unknown-{kind}")
        else:
            task.state = PARKED
            if not task.waits:
                task.waits = f"{task.home.number}:{event.subject}"

    def _decide(self, task: Task) -> None:
        live = self.lives.get(task.account)
        if live is None or task.state or task.result is not None:
            return
        if live.broken:
            task.state, task.note = BAD, f"set aside after {live.broken}"
            return
        event, account, imported = task.event, live.account, task.imported
        at = event.received if imported else self.now
        if at < account.at:
            at = account.at
        if event.received != at or event.time != task.time:
            said = (task.time, event.subject, event.body, at, event.ask)
            event = Event(event.source, event.id, *said)
        try:
            context, seen = self._context(live, task, event)
            if task.waits:
                return
            entries = self.engine.decide(live.home.program, account, event, context)
            own = entries[-1]
            assert (own.event, own.seq) == (task.key, account.seq), "an entry is out of place"
        except Exception as error:
            self._set_aside(live, task, error)
            return
        for entry in entries:
            booked = entry.at if imported else self.now
            if entry is own:
                digest = task.row.hash if task.row is not None else None
                live.book(own, imported, booked, task.time, digest, seen)
            else:
                live.book(entry, imported, booked, entry.at)
            if entry.decision.claims:
                self.foresight.claim(live.home.number, entry.decision.claims)
        task.entry, task.seq = own, own.seq
        if own.decision.cause:
            self.foresight.caused(live, task, own)
        if live.tasks[-1] is task:
            live.snapshot = encode_account(account)

    def _context(self, live: Live, task: Task, event: Event) -> tuple[Context, bytes]:
        need = self.foresight.needs.get(id(task))
        if need is None and not live.entries:
            return _NOTHING, b""
        need = self.engine.needs(live.home.program, live.account, event)
        if not (need.originals or need.receipts or need.limits):
            return _NOTHING, b""
        return self.foresight.context(live, task, need)

    def _set_aside(self, live: Live, task: Task, error: Exception) -> None:
        """A decision that raises is a bug: keep the event, and the account as it was before."""
        task.state, task.note = BAD, f"{type(error).__name__}: {error}"
        live.broken, live.snapshot = task.key, b""
        live.account = self._before(live)
        for entry in live.entries:
            apply(live.account, entry)

    def _before(self, live: Live) -> Account:
        """The account as it stands in the books."""
        return Account(live.id) if live.opened else _stored(self.books.accounts([live.id])[0])

    # ── writing ──────────────────────────────────────────────────────────────

    def write(self) -> None:
        """Write everything, and take the shared limits last; the caller commits."""
        sight = self.foresight
        if not sight.limits and not sight.claimed:
            self.books.write(booking.page(self))
            return
        self.books.mark()
        self.books.write(booking.page(self))
        if sight.take():
            return
        self.books.back()
        sight.lock()
        self._decide_again()
        self.books.write(booking.page(self))
        if not sight.take():
            raise AssertionError("a locked limit changed")

    def _decide_again(self) -> None:
        """Decide once more for everybody who looked at a limit, in the order of arrival."""
        again = {task.account for task in self.foresight.looked}
        for number in again:
            live = self.lives[number]
            live.start_again(self._before(live))
        redone = [task for task in self.tasks if task.account in again]
        self.foresight.reset(redone, [self.lives[number] for number in self.lives])
        for task in redone:
            if task.state in (BAD, DECIDED):
                task.state, task.note, task.entry, task.seq = DECIDED, None, None, 0
                self._decide(task)

    def results(self) -> list[list[Result]]:
        """The answers, once everything is committed."""
        return [
            [each if isinstance(each, Result) else booking.answer(each) for each in answers]
            for answers in self.answers
        ]

    def keep(self) -> None:
        """Put what was committed into the cache."""
        if self.cache is not None:
            booking.keep(self, self.cache)


def _card(task: Task) -> Card | None:
    """The program and the token of the card that an event names."""
    subject = task.event.subject
    return (task.home.number, subject[5:]) if subject[:5] == "card:" else None


def _stored(row: AccountRow) -> Account:
    """The snapshot of a row, woken when a new version asks for it."""
    account = decode_account(row.snapshot)
    account.due = min(account.due, NEVER if row.due is None else row.due)
    return account


def _malformed(event: Event, key: str) -> str:
    source, subject = event.source, event.subject
    if not source or "/" in source or source == DESK or not event.id or not key.isprintable():
        return "malformed-key"
    if not 0 <= event.time < TIME_END:
        return "malformed-time"
    names = _NAMES.get(type(event.body))
    other = getattr(event.body, names) if names is not None else ""
    return "" if _is_subject(subject) and _is_subject(other) else "malformed-subject"


def _is_subject(said: str) -> bool:
    """Whether that names somebody, or nobody."""
    is_card = said[:5] == "card:" and len(said) > 5 and said.isprintable()
    return not said or is_card or _is_account(said)


def _is_account(said: str) -> bool:
    return said[:8] == "account:" and said[8:].isdecimal() and len(said) < _ACCOUNT_LETTERS
