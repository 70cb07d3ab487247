"""Commands on members and their personal data: member find, show, export, erase; vault rotate.

Whoever runs them can read the keys; every reading is written down under the name of the user.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer
from msgspec import Struct, to_builtins
from rich.text import Text

from kantis.core.calendar import show_instant
from kantis.desk.programs import Home
from kantis.desk.submit import Desk, wall_clock
from kantis.desk.vault import membership, portable
from kantis.desk.vault.keyfile import FolderKeys, Locked
from kantis.desk.vault.opening import open_vault
from kantis.desk.vault.person import TOLD, Person, Wrong
from kantis.desk.vault.rotating import rotate as change_master
from kantis.desk.vault.vault import Member, Reader, Refusal, Vault
from kantis.desk.writer import RemoteDesk
from kantis.doors.cli.opening import opened
from kantis.doors.cli.output import (
    NOT_FINE,
    USAGE,
    Json,
    Store,
    Trouble,
    count,
    json_out,
    leave,
    out,
)
from kantis.doors.cli.output import Vault as Folder
from kantis.doors.cli.progress import Bars
from kantis.store import people

app = typer.Typer(no_args_is_help=True, help="Find, show, export and erase members.")
vault_app = typer.Typer(no_args_is_help=True, help="Look after the keys to personal data.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The id of a member, or card:NUMBER.")]
Program = Annotated[str, typer.Option(help="The program, if there are several.")]

#: Where the last events of a member come from that a command erases.
SOURCE: Final = "vault"


class Place(Struct):
    """What a command on members works with."""

    desk: Desk | RemoteDesk
    reader: Desk
    vault: Vault
    keys: FolderKeys

    def home(self, program: str) -> Home:
        """The program of that name, or the only one."""
        found = self.reader.homes.find(program)
        if found is None:
            message = "Say which program: --program. They are listed by kantis versions."
            raise Trouble("which-program", message, program)
        return found

    def member(self, home: Home, id: str) -> Member:
        """The member of an id or a card."""
        books = self.reader.books
        if id.startswith("card:"):
            found = self.vault.by_card(books, home.number, id[5:])
        else:
            one = self.vault.by_id(books, home.number, id)
            found = [one] if one is not None else []
        if len(found) != 1:
            message = f"There is no such member in {home.name}. Look with kantis member find."
            raise Trouble("unknown-member", message, id, NOT_FINE)
        return found[0]

    def note(self, members: list[Member], why: str) -> None:
        """Write down who reads; what was read is shown after it."""
        self.vault.note(members, Reader(f"user {getpass.getuser()}", why), TOLD)


@contextmanager
def _place(store: str, folder: str) -> Iterator[Place]:
    """The desk of a store with its vault; what hinders is said as trouble."""
    with opened(store) as desk:
        try:
            vault = open_vault(desk, folder)
            assert isinstance(vault.keys, FolderKeys)
            with Desk(desk.books.reader(), clock=wall_clock) as reader:
                reader.homes.refresh(reader.books)
                yield Place(desk, reader, vault, vault.keys)
        except Locked as error:
            raise Trouble(error.code, str(error)) from error
        except Wrong as error:
            raise Trouble("bad-value", str(error), error.field, USAGE) from error
        except Refusal as error:
            message = "This cannot be done with this member now. Look with kantis member show."
            raise Trouble(error.code, message, status=NOT_FINE) from error


@app.command("find")
def find(
    name: Annotated[str, typer.Argument(help="The starts of words of the name.")] = "",
    email: Annotated[str, typer.Option(help="The e-mail address.")] = "",
    phone: Annotated[str, typer.Option(help="The phone, as in +358401234567.")] = "",
    card: Annotated[str, typer.Option(help="The number of a card.")] = "",
    receipt: Annotated[str, typer.Option(help="A receipt, or the id of a purchase.")] = "",
    program: Program = "",
    store: Store = "kantis.db",
    vault: Folder = "",
    json: Json = False,
) -> None:
    """Find members by one of these."""
    said = {"name": name, "email": email, "phone": phone, "card": card, "receipt": receipt}
    by = {what: value for what, value in said.items() if value}
    if len(by) != 1:
        message = "Say one thing: a name, --email, --phone, --card or --receipt."
        raise Trouble("one-thing", message, status=USAGE)
    with _place(store, vault) as place:
        home = place.home(program)
        found = membership.found(place.reader, place.vault, home.number, by)
        place.note(found, f"search by {next(iter(by))}")
        cards = membership.cards_told(place.reader, found)
    if json:
        json_out([_plain(each, cards[each.row.account]) for each in found])
    elif not found:
        out.print("Nobody was found.")
    else:
        for each in found:
            _tell(each, cards[each.row.account])
    if not found:
        leave(NOT_FINE)


@app.command("show")
def show(
    id: Id,
    program: Program = "",
    store: Store = "kantis.db",
    vault: Folder = "",
    json: Json = False,
) -> None:
    """Show a member with all personal data and cards."""
    with _place(store, vault) as place:
        member = place.member(place.home(program), id)
        place.note([member], "show")
        cards = membership.cards_told(place.reader, [member])[member.row.account]
    found = _plain(member, cards)
    if json:
        json_out(found)
        return
    out.print(Text(f"member {member.row.id}, account {member.row.account}", style="bold"))
    for card, state in cards.items():
        out.print(Text(f"  card {card}: {state or 'in use'}"))
    if member.person is None:
        out.print("  Erased: nothing personal is left.")
        return
    for name, value in found["person"].items():
        if value and name not in ("address", "consents"):
            out.print(Text(f"  {name.replace('_', ' ')}: {value}"))
    address = [each for each in found["person"]["address"].values() if each]
    if address:
        out.print(Text(f"  address: {', '.join(address)}"))
    for each in member.person.consents:
        state = "agreed to" if each.granted else "took back"
        out.print(Text(f"  {show_instant(each.at)[:10]} {state}: {each.purpose} {each.version}"))


@app.command("export")
def export(
    id: Id,
    program: Program = "",
    store: Store = "kantis.db",
    vault: Folder = "",
) -> None:
    """Print everything that is kept about a member, as JSON."""
    with _place(store, vault) as place:
        home = place.home(program)
        member = place.member(home, id)
        place.note([member], "export")
        cards = membership.cards_told(place.reader, [member])[member.row.account]
        readings = people.readings_of(place.reader.books, member.row.id)
        account = portable.account_of(place.reader, place.vault, home, member)
    told = [
        {"at": show_instant(x.at), "who": x.who, "why": x.why, "fields": x.fields.split()}
        for x in readings
    ]
    json_out({"member": _plain(member, cards), **account, "readings": told})


@app.command("erase")
def erase(
    id: Id,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    program: Program = "",
    store: Store = "kantis.db",
    vault: Folder = "",
    json: Json = False,
) -> None:
    """Erase a member: the key is destroyed, and nobody can read the personal data again."""
    with _place(store, vault) as place:
        home = place.home(program)
        member = place.member(home, id)
        if member.row.erased is None:
            if not yes and not typer.confirm(f"Erase {member.row.id} for ever?"):
                leave(NOT_FINE)
            for event in membership.last_events(place.reader, home, member, SOURCE):
                place.desk.submit([event], program=home.name)
            who = f"user {getpass.getuser()}"
            membership.erase(place.reader, place.vault, home, member, who)
    if json:
        json_out({"member": member.row.id, "erased": True})
    else:
        out.print(f"{member.row.id}: erased. The books go on with numbers only.")


@vault_app.command("rotate")
def rotate(store: Store = "kantis.db", vault: Folder = "", json: Json = False) -> None:
    """Make another master key. Stopped half way, run it again."""
    with _place(store, vault) as place, Bars(quiet=json) as bars:
        done = change_master(place.vault, place.keys, place.reader.books, bars.tell)
    if json:
        json_out({"members": done})
    else:
        out.print(f"{count(done, 'member')}: everything is under the new master key.")
        out.print("Copy it to where you keep passwords: the old one opens nothing any more.")


def _tell(member: Member, cards: dict[str, str]) -> None:
    """A member in one line, with the whole id: it is what other commands take."""
    person = member.person or Person()
    working = [f"card {card}" for card, state in cards.items() if not state]
    said = [each for each in (person.name, person.email, person.phone, *working) if each]
    out.print(Text.assemble((member.row.id, "bold"), "  ", ", ".join(said)))


def _plain(member: Member, cards: dict[str, str]) -> dict[str, Any]:
    row = member.row
    return {
        "id": row.id,
        "account": row.account,
        "cards": {card: state or "in use" for card, state in cards.items()},
        "joined": show_instant(row.joined),
        "erased": show_instant(row.erased) if row.erased is not None else None,
        "person": _person(member.person) if member.person is not None else None,
    }


def _person(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = {name: to_builtins(getattr(person, name)) for name in TOLD}
    address = person.address
    found["address"] = {name: getattr(address, name) for name in address.__struct_fields__}
    found["consents"] = [
        {**{n: getattr(x, n) for n in x.__struct_fields__}, "at": show_instant(x.at)}
        for x in person.consents
    ]
    return found
