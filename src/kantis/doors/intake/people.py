"""People: the personal data in a file of members go to the vault, and nowhere else.

Guarantee: they are read in a pass of their own, after the members are enrolled, so they are in
no event, in no file that is put aside, and in no row of the file of bad rows. Who has personal
data already keeps them: running an import again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from kantis.desk.submit import Desk
from kantis.desk.vault.membership import today
from kantis.desk.vault.person import Address, Person, Wrong, checked
from kantis.desk.vault.vault import Vault
from kantis.doors.intake.load import BadRows, Progress, Summary
from kantis.doors.intake.mapping import PERSONAL, Mapping
from kantis.doors.intake.rows import Bad, RowReader
from kantis.doors.intake.tables import Table
from kantis.store import people

_BATCH: Final = 500
_ADDRESS: Final = ("street", "postal code", "city", "country")
#: (number of the row, key of the event, card, person)
_Found = tuple[int, str, str, Person]


def has_people(mapping: Mapping) -> bool:
    """Whether a file has columns with personal data."""
    return mapping.kind == "members" and bool(PERSONAL & mapping.columns.keys())


class PeopleLoader:
    """Takes the personal data of a file whose members are enrolled."""

    def __init__(
        self, table: Table, mapping: Mapping, reader: RowReader, bad: BadRows, summary: Summary
    ) -> None:
        self.table, self.mapping, self.reader = table, mapping, reader
        self.bad, self.summary = bad, summary

    def keep(self, desk: Desk, vault: Vault, program: int, tell: Progress) -> None:
        """Bring them into the vault, some hundreds at once. ``desk`` is for reading."""
        rows = self._people(desk)
        while part := list(islice(rows, _BATCH)):
            self._keep(desk, vault, program, part)
            tell("personal data", self.table.at(), self.table.size)

    def check(self, desk: Desk) -> None:
        """Read them all, and write down what cannot be; nothing is kept."""
        for _ in self._people(desk):
            self.summary.people += 1

    def wrong(self, row: dict[str, str], desk: Desk) -> Bad | None:
        """What is wrong with the personal data of a row."""
        try:
            checked(self._person(row), today(desk))
        except Wrong as error:
            return Bad("bad-value", f"{error.field}: {error}")
        return None

    def _people(self, desk: Desk) -> Iterator[_Found]:
        day = today(desk)
        for number, row, wrong in self.table.rows():
            key = self.reader.key(row)
            if wrong or not key:
                continue
            try:
                person = checked(self._person(row), day)
            except Wrong as error:
                self._refuse(number, "bad-value", f"{error.field}: {error}")
                continue
            if person != Person():
                yield number, key, self._value("card", row), person

    def _person(self, row: dict[str, str]) -> Person:
        def value(name: str) -> str:
            return self._value(name, row)

        given, family = value("given name"), value("family name")
        whole = value("name")
        if whole and not (given or family):
            given, _, family = whole.rpartition(" ")
            given, family = (given, family) if given else (family, "")
        street, code, city, country = (value(name) for name in _ADDRESS)
        return Person(
            given,
            family,
            value("email"),
            value("phone"),
            value("born"),
            value("language"),
            Address(street, code, city, "", country),
            value("notes"),
        )

    def _value(self, name: str, row: dict[str, str]) -> str:
        column = self.mapping.columns.get(name)
        if column is None:
            return ""
        return row.get(column.column, "") if column.column else column.value

    def _keep(self, desk: Desk, vault: Vault, program: int, part: list[_Found]) -> None:
        books = desk.books
        accounts = books.cards([(program, card) for _, _, card, _ in part])
        known = {row.account for row in people.by_account(books, sorted(set(accounts.values())))}
        now, slips, rows = desk.clock(), [], []
        vault.reserve(len(part))
        for number, key, card, person in part:
            account = accounts.get((program, card), 0)
            if not account or account in known:
                continue
            known.add(account)
            event = f"{self.mapping.source}/{key}"
            slip, _ = vault.draft(program, account, event, person, b"", now)
            slips.append(slip)
            rows.append(number)
        for number, outcome in zip(rows, vault.file(*slips), strict=True):
            if not outcome:
                self.summary.people += 1
            elif outcome == people.TAKEN:
                reason = "Another member has this e-mail address; the member is there without data."
                self._refuse(number, outcome, reason)

    def _refuse(self, number: int, code: str, reason: str) -> None:
        self.summary.people_refused += 1
        self.bad.add(number, Bad(code, reason))
