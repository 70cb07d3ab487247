"""Commands on one account or one event: account, explain."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from kantis.core import calendar, places, windows
from kantis.core.account import Account, decode_account, value_at
from kantis.core.decision import Entry, apply
from kantis.core.events import Event
from kantis.desk.programs import Home
from kantis.desk.recorded import entry_of, event_of
from kantis.desk.submit import wall_clock
from kantis.doors.cli.opening import home_of, opened
from kantis.doors.cli.output import Json, Store, Trouble, json_out, out, table
from kantis.engine import decide as engine
from kantis.engine.explain import explain as sentences
from kantis.engine.explain import why_not
from kantis.engine.members import entitled
from kantis.engine.program import Program
from kantis.store.books import Books
from kantis.store.rows import EventRow
from kantis.store.schema import DECIDED, STATES

_PLACES = [place.name for place in places.CHART if place.member]


class Told:
    """An entry with its event and its sentences."""

    def __init__(self, program: Program, entry: Entry, event: Event | None) -> None:
        self.entry, self.event = entry, event
        self.sentences = sentences(program, entry, event)
        moment = event.time if event is not None else entry.at
        self.when = f"{program.calendar.local(moment):%Y-%m-%d %H:%M}"
        self.what = f"{event.type} {entry.event}" if event is not None else "time passed"

    def plain(self) -> dict[str, object]:
        """For scripts."""
        return {
            "seq": self.entry.seq,
            "time": self.when,
            "event": self.entry.event,
            "type": self.event.type if self.event else "",
            "version": self.entry.version,
            "sentences": self.sentences,
        }

    def tell(self) -> None:
        """For people."""
        out.print(Text.assemble((self.when, "dim"), "  ", self.what))
        for sentence in self.sentences:
            out.print(Text(f"    {sentence}"))


def account(
    who: Annotated[str, typer.Argument(metavar="ID", help="A card, or an account's number.")],
    entries: Annotated[int, typer.Option(min=0, help="How many of the last entries.")] = 5,
    program: Annotated[str, typer.Option(help="The program, if there are several.")] = "",
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Show an account as it stands now: balances, lots, tiers, counters, vouchers, entries."""
    with opened(store) as desk:
        books = desk.books
        home, number = _find(books, who, program)
        row = books.account(number)
        assert row is not None
        state = decode_account(row.snapshot)
        wanted = range(max(1, row.seq - entries + 1), row.seq + 1)
        told = _told(books, home.program, [(number, seq) for seq in wanted])
        cards = books.tokens(number)
    if state.joined:
        engine.advance(home.program, state, max(wall_clock(), state.at))
    found = _plain(home, state, cards)
    if json:
        json_out({**found, "entries": [each.plain() for each in told]})
    else:
        _show(found, told)


def _find(books: Books, who: str, program: str) -> tuple[Home, int]:
    """The account of a card or a number, and its program."""
    kind, _, name = who.rpartition(":")
    if kind not in ("", "card", "account"):
        raise Trouble("unknown-account", "Name it card:NUMBER or account:NUMBER.", who, 2)
    names = {number: each for each, number in books.programs().items()}
    wanted = [home_of(books, program).number] if program else list(names)
    cards = books.cards([(each, name) for each in wanted]) if kind != "account" else {}
    if len(cards) > 1:
        listed = ", ".join(sorted(names[number] for number, _ in cards))
        message = f"This card is known in several programs: {listed}. Say which: --program."
        raise Trouble("which-program", message, who)
    number = next(iter(cards.values()), 0)
    if not number and kind != "card" and name.isdecimal():
        number = int(name)
    row = books.account(number) if 0 < number < 1 << 63 else None
    if row is None or row.program not in wanted:
        message = f"There is no such card or account in {program or 'these books'}."
        raise Trouble("unknown-account", f"{message} Check the number.", who, 1)
    return home_of(books, names[row.program]), row.id


def _told(books: Books, program: Program, wanted: list[tuple[int, int]]) -> list[Told]:
    recorded = books.entries(wanted)
    events = {row.key: row for row in books.events(r.event for r, _ in recorded if r.event)}
    told = []
    for row, postings in recorded:
        said = events.get(row.event)
        event = event_of(said, row.value, row.at) if said is not None and said.body else None
        told.append(Told(program, entry_of(row, postings), event))
    return told


def _plain(home: Home, state: Account, cards: list[str]) -> dict[str, Any]:
    """An account in words and decimal numbers."""
    program: Program = home.program
    units, money, day = program.units, program.money, calendar.show_day
    plan = program.plan_for(state, max(state.at, 0))
    tiers = {}
    for group in plan.tiers:
        standing = state.tiers.get(group.name)
        level = group.levels[standing.level if standing else 0]
        until = day(standing.until - 1 if standing and standing.until else 0)
        tiers[group.name] = {"level": level, "until": until}
    today = program.calendar.day(max(state.at, 0))
    counters = {}
    for name in plan.windows:
        counted = windows.total(plan.windows[name], state.counters.get(name), today, state.joined)
        counters[name] = program.counted[name].number(counted)
    return {
        "account": state.id,
        "program": home.name,
        "cards": cards,
        "joined": day(state.joined),
        "balances": {
            name: {
                place: units[name].number(-amount if place == "owed" else amount)
                for place, amount in zip(_PLACES, purse, strict=True)
            }
            for name, purse in state.purse.items()
            if name in units
        },
        "lots": [
            {
                "balance": lot.balance,
                "amount": units[lot.balance].number(lot.open),
                "earned": day(lot.bucket),
                "until": day(lot.expires - 1 if lot.expires else 0),
                "group": lot.group,
            }
            for lot in sorted(state.lots.values(), key=lambda lot: lot.expires or 1 << 60)
            if lot.open and lot.balance in units
        ],
        "tiers": tiers,
        "counters": counters,
        "vouchers": [
            {
                "code": code,
                "kind": each.kind,
                "worth": money.number(each.worth),
                "until": day(each.expires - 1 if each.expires else 0),
            }
            for code, each in state.vouchers.items()
            if each.state == "open"
        ],
        **_membership(program, state),
        "offers": [name for name, (loaded, _) in state.offers.items() if loaded >= 0],
        "choices": {name: value_at(said, 1 << 62, "") for name, said in state.choices.items()},
        "facts": {name: value_at(said, 1 << 62, "") for name, said in state.facts.items()},
        "holds": {key: hold.reward for key, hold in state.holds.items()},
    }


def _membership(program: Program, state: Account) -> dict[str, Any]:
    """The plans that an account has, and what it is entitled to now."""
    day = calendar.show_day
    return {
        "plans": {
            each.plan: {
                "state": each.state,
                "per": each.period,
                "until": day(each.until - 1),
                "renews": each.renews,
            }
            for each in state.plans.values()
            if each.state != "ended"
        },
        "entitlements": {
            each.name: {
                "good for": each.good_for,
                "until": day(each.until - 1 if each.until else 0),
            }
            for each in entitled(program, state, max(wall_clock(), state.at))
        },
    }


def _show(found: dict[str, Any], told: list[Told]) -> None:
    head = f"account {found['account']} of {found['program']}, since {found['joined']}"
    cards = f", cards {', '.join(found['cards'])}" if found["cards"] else ""
    out.print(Text(head + cards, style="bold"))
    purses = [(name, *purse.values()) for name, purse in found["balances"].items()]
    if purses:
        out.print(table("", ("balance", *_PLACES), purses))
    lots = [(x["balance"], x["amount"], x["earned"], x["until"]) for x in found["lots"]]
    if lots:
        out.print(table("\nlots", ("balance", "open", "earned", "until"), lots))
    tiers = [(name, each["level"], each["until"]) for name, each in found["tiers"].items()]
    if tiers:
        out.print(table("\ntiers", ("", "level", "until"), tiers))
    if found["counters"]:
        out.print(table("\ncounters", ("", "counted"), found["counters"].items()))
    vouchers = [(x["code"], x["kind"], x["worth"], x["until"]) for x in found["vouchers"]]
    if vouchers:
        out.print(table("\nvouchers", ("code", "kind", "worth", "until"), vouchers))
    plans = [
        (name, each["state"], each["per"], each["until"], "yes" if each["renews"] else "no")
        for name, each in found["plans"].items()
    ]
    if plans:
        out.print(table("\nplans", ("", "state", "per", "until", "renews"), plans))
    benefits = [(x["good for"], x["until"]) for x in found["entitlements"].values()]
    if benefits:
        out.print(table("\nentitled to", ("", "until"), benefits))
    for what in ("offers", "choices", "facts", "holds"):
        if found[what]:
            each = found[what]
            said = each if isinstance(each, list) else [f"{k} {v}" for k, v in each.items()]
            out.print(Text(f"\n{what}: {', '.join(said)}"))
    if told:
        out.print(Text("\nlast entries", style="bold"))
    for each in told:
        each.tell()


def explain(
    key: Annotated[str, typer.Argument(metavar="EVENT", help="Its source and id: till-7/4711.")],
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Say in words why an event had the effect that it had."""
    with opened(store) as desk:
        books = desk.books
        rows = books.events([key])
        if not rows:
            message = "There is no such event here. Name it by source and id, as in till-7/4711."
            raise Trouble("unknown-event", message, key, 1)
        row = rows[0]
        if row.state != DECIDED or row.account is None or row.seq is None:
            _not_decided(row, json)
            return
        names = {number: name for name, number in books.programs().items()}
        home = home_of(books, names[row.program])
        (told,) = _told(books, home.program, [(row.account, row.seq)])
        undone = books.undoing([(row.account, key)])
        later = _told(books, home.program, [(e.account, e.seq) for e, _ in undone])
        silent = _silent(books, home.program, row, told)
    if json:
        found = {**told.plain(), "key": key, "account": row.account, "why_not": silent}
        json_out({**found, "undone_by": [each.plain() for each in later]})
        return
    told.tell()
    if silent:
        out.print(Text("  other rules did nothing", style="dim"))
    for each in silent:
        out.print(Text(f"    {each['rule']}: {each['reason']}", style="dim"))
    if later:
        out.print(Text("  undone in part or in whole", style="bold"))
    for more in later:
        more.tell()


def _not_decided(row: EventRow, json: bool) -> None:
    state = STATES[row.state]
    if json:
        json_out({"key": row.key, "state": state, "waits": row.waits, "note": row.note})
        return
    reasons = {
        "ready": "It is recorded, and will be decided with the next batch.",
        "parked": f"It waits for {_awaited(row)}. It is decided as soon as that comes.",
        "bad": f"It was set aside for somebody to look at: {row.note}.",
        "alone": "It is a purchase without a member, and can be claimed with its receipt.",
    }
    out.print(f"{row.key}: {reasons.get(state, state)}")


def _awaited(row: EventRow) -> str:
    """What a parked event waits for: a card or an account to be known, or another event."""
    place, _, subject = (row.waits or "").partition(":")
    if place.isdecimal() and subject:
        return f"{subject} to be enrolled"
    return f"the event {row.waits}"


def _silent(books: Books, program: Program, row: EventRow, told: Told) -> list[dict[str, str]]:
    """The rules that did nothing for a purchase, decided again on the account as it was."""
    if told.event is None or row.account is None or row.seq is None:
        return []
    state = Account(row.account)
    for entry, postings, _ in books.history(row.account, row.account):
        if entry.seq >= row.seq:
            break
        apply(state, entry_of(entry, postings))
    return [{"rule": rule, "reason": why} for rule, why in why_not(program, state, told.event)]
