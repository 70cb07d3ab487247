"""Greeting: the personal line at a till, for members who agreed to it and for nobody else.

Guarantee: nothing personal is read for a member who has not agreed, or does so no more, and
nothing where several share the account. What is shown is written down before, once a sale.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from kantis.core.calendar import month_day, next_yearly, years_between
from kantis.desk.submit import Desk
from kantis.desk.vault.person import Person
from kantis.desk.vault.vault import Reader, Vault
from kantis.doors.api.problems import Problem
from kantis.doors.web import consents
from kantis.doors.web.pages import Visit
from kantis.store import people

FIELDS: Final = ("given_name", "birthday", "notes", "consents")
_NOTE_MAX: Final = 300
#: A day is near from so many days before it until so many after it.
AHEAD_DAYS: Final = 7
BEHIND_DAYS: Final = 3


class Near(Struct, frozen=True):
    """A day of theirs that is near and not today: a birthday, or with ``years`` the day on which
    they are a member for so many. It may be said when ``past``, too."""

    day: int
    past: bool
    years: int = 0


class Greeting(Struct, frozen=True):
    """What whoever serves may know: a name, whether it is their birthday, for how many whole
    years they have been a member today (0 on any other day), what was noted for them, and which
    of these days are ``near``."""

    name: str
    birthday: bool = False
    years: int = 0
    note: str = ""
    near: tuple[Near, ...] = ()


def of(person: Person, joined: int, day: int) -> Greeting:
    """The greeting of somebody on a day; ``joined`` is the day on which they joined.

    >>> of(Person("Anna", birthday="05-17"), 739000, 739388)
    Greeting(name='Anna', birthday=True, years=0, note='', near=())
    """
    born = [int(each) for each in person.birthday.split("-")[-2:]] if person.birthday else []
    birthday = next_yearly(day - BEHIND_DAYS, born[0], born[1]) if born else 0
    yearly = next_yearly(day - BEHIND_DAYS, *month_day(joined))
    years = years_between(joined, yearly)
    near = [Near(birthday, birthday < day)] if born else []
    near += [Near(yearly, yearly < day, years)] if years > 0 else []
    return Greeting(
        person.given_name,
        birthday == day,
        years if yearly == day and years > 0 else 0,
        " ".join(person.notes.split())[:_NOTE_MAX],
        tuple(each for each in near if each.day != day and each.day <= day + AHEAD_DAYS),
    )


async def greeting(visit: Visit, account: int, about: str, moment: int) -> Greeting | None:
    """The greeting of whoever has an account alone and agreed; ``about`` is the sale."""
    known = await visit.office.read(lambda reader: people.by_account(reader.books, [account]))
    if len(known) != 1 or known[0].sealed is None:
        return None
    assert visit.cashier is not None
    reads = Reader(f"{visit.cashier.login} at {visit.till.source}", f"sale {about}")
    try:
        return await visit.office.people(agreed, reads, account, visit.till.number, moment)
    except Problem:  # a sale goes on where the keys cannot be used
        return None


def agreed(
    reader: Desk, vault: Vault, reads: Reader, account: int, program: int, moment: int
) -> Greeting | None:
    """The greeting of whoever has an account alone, if they agreed; the reading is noted."""
    found = vault.open(people.by_account(reader.books, [account]))
    person = found[0].person if len(found) == 1 else None
    if person is None or not consents.holds(person, consents.GREETING):
        return None
    if not people.has_read(reader.books, found[0].row.id, reads.who, reads.why):
        vault.note(found, reads, FIELDS)
    days = reader.homes.numbered(program).program.calendar
    return of(person, days.day(found[0].row.joined), days.day(moment))
