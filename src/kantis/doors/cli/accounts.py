"""Commands on one account or one event: account, explain."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from kantis.core.account import Account
from kantis.core.decision import apply
from kantis.desk.programs import Home
from kantis.desk.recorded import entry_of
from kantis.desk.showing import PLACES, Told, standing, told
from kantis.desk.submit import wall_clock
from kantis.doors.cli.opening import home_of, opened
from kantis.doors.cli.output import Json, Store, Trouble, json_out, out, table
from kantis.engine.explain import why_not
from kantis.engine.program import Program
from kantis.store import people
from kantis.store.books import Books
from kantis.store.freezing import WAITS
from kantis.store.rows import EventRow
from kantis.store.schema import DECIDED, STATES


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
        wanted = range(max(1, row.seq - entries + 1), row.seq + 1)
        last = told(books, home.program, [(number, seq) for seq in wanted])
        found = standing(books, home, row, wall_clock())
    if json:
        json_out({**found, "entries": [each.plain() for each in last]})
    else:
        _show(found, last)


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


def _tell(told: Told) -> None:
    out.print(Text.assemble((told.when, "dim"), "  ", told.what))
    for sentence in told.sentences:
        out.print(Text(f"    {sentence}"))


def _show(found: dict[str, Any], last: list[Told]) -> None:
    head = f"account {found['account']} of {found['program']}, since {found['joined']}"
    cards = f", cards {', '.join(found['cards'])}" if found["cards"] else ""
    out.print(Text(head + cards, style="bold"))
    purses = [(name, *purse.values()) for name, purse in found["balances"].items()]
    if purses:
        out.print(table("", ("balance", *PLACES), purses))
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
    holds = [(x["key"], x["reward"], x["points"], x["until"]) for x in found["holds"]]
    if holds:
        out.print(table("\nheld", ("by", "for", "points", "until"), holds))
    for what in ("offers", "choices", "facts"):
        if found[what]:
            each = found[what]
            said = each if isinstance(each, list) else [f"{k} {v}" for k, v in each.items()]
            out.print(Text(f"\n{what}: {', '.join(said)}"))
    if last:
        out.print(Text("\nlast entries", style="bold"))
    for each in last:
        _tell(each)


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
        (this,) = told(books, home.program, [(row.account, row.seq)])
        places = people.became(books, row.account)
        undone = books.undoing([(each, key) for each in places])
        later = told(books, home.program, [(e.account, e.seq) for e, _ in undone])
        silent = _silent(books, home.program, row, this)
    if json:
        found = {**this.plain(), "key": key, "account": row.account, "why_not": silent}
        json_out({**found, "undone_by": [each.plain() for each in later]})
        return
    _tell(this)
    if silent:
        out.print(Text("  other rules did nothing", style="dim"))
    for each in silent:
        out.print(Text(f"    {each['rule']}: {each['reason']}", style="dim"))
    if later:
        out.print(Text("  undone in part or in whole", style="bold"))
    for more in later:
        _tell(more)


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
    if f"{place}:" == WAITS:
        return "spending to be free again"
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
