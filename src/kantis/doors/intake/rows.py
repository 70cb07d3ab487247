"""Rows: what one row of a file says, as a part of an event.

An event's id comes from the file's own keys. Where a file has none, it comes from what the
row says (and how many equal rows came before), so that the same file, in any order of its
rows, gives the same events.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Final

from kantis.core import calendar
from kantis.core.amounts import Unit
from kantis.core.events import (
    CarriedLot,
    CarriedPlan,
    CarriedTier,
    CarriedVoucher,
    Carry,
    Enrol,
    Know,
    Line,
    Purchase,
    Refund,
)
from kantis.core.knobs import suggest
from kantis.desk.batch import AHEAD_MS
from kantis.desk.submit import wall_clock
from kantis.doors.intake.mapping import KINDS, Column, Mapping
from kantis.doors.intake.spool import Piece
from kantis.engine.program import Program
from kantis.features.counters import THOUSANDTHS

RECORDS: Final = ("lot", "tier", "counter", "voucher", "offer", "plan", "fact")


class Bad(Exception):
    """Why a row cannot be taken: its column and value, a code, and what to do."""

    def __init__(self, code: str, reason: str, column: str = "", value: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason, self.column, self.value = code, reason, column, value


class RowReader:
    """Reads rows of one kind of file by its mapping, in the units of a program."""

    def __init__(self, mapping: Mapping, program: Program) -> None:
        self.mapping, self.program, self.counted = mapping, program, program.counted
        self.fields = KINDS[mapping.kind]
        self.latest = wall_clock() + AHEAD_MS
        self.sums: dict[str, int] = {}
        self._seen: dict[bytes, int] = {}
        reading: dict[str, Callable[[dict[str, str]], list[Piece]]] = {
            "purchases": self._purchase,
            "refunds": self._refund,
            "members": self._member,
            "opening": self._opening,
        }
        self._read = reading[mapping.kind]

    def read(self, number: int, row: dict[str, str]) -> list[Piece]:
        """The parts of events in a row; ``Bad`` with the reason why not."""
        pieces = self._read(row)
        for rank, piece in enumerate(pieces):
            piece.row, piece.rank = number, rank
        return pieces

    def understood(self, row: dict[str, str]) -> tuple[dict[str, str], list[Bad]]:
        """Each value of a row as it is understood, and what is wrong with the row."""
        found, wrong = {}, []
        for name in self.fields:
            column = self.mapping.columns.get(name)
            if column is None:
                continue
            found[name] = self._raw(column, row)
            try:
                found[name] = self._understood(name, row) if found[name] else self._text(name, row)
            except Bad as bad:
                wrong.append(bad)
        for name, each in self.mapping.facts.items():
            found.setdefault(name, self._raw(each, row))
        if not wrong:
            try:
                self.read(0, row)
            except Bad as bad:
                wrong.append(bad)
        return found, wrong

    def _understood(self, name: str, row: dict[str, str]) -> str:
        reads = self.fields[name].reads
        if reads == "time":
            moment = self._moment(name, row)
            return self.program.calendar.local(moment).strftime("%Y-%m-%d %H:%M")
        if reads == "money":
            money = self.program.money
            return f"{money.number(self._number(name, row, money))} {money.name}"
        if reads == "whole":
            return str(self._whole(name, row, 1))
        if reads in ("day", "last day"):
            day = self._day(name, row)
            return dt.date.fromordinal(day).isoformat() if day else ""
        return self._text(name, row)

    def key(self, row: dict[str, str]) -> str:
        """The id of a row's event where it can be told without reading the rest."""
        column = self.mapping.columns.get("id")
        if column is not None:
            return self._raw(column, row)
        card = self.mapping.columns.get("card")
        if self.mapping.kind in ("members", "opening") and card is not None:
            return self._id_of_card(self._raw(card, row))
        return ""

    def _id_of_card(self, card: str) -> str:
        return f"{self.mapping.batch if self.mapping.kind == 'opening' else 'enrol'}-{card}"

    # ── single values ────────────────────────────────────────────────────────

    def _raw(self, column: Column, row: dict[str, str]) -> str:
        return row.get(column.column, "") if column.column else column.value

    def _text(self, name: str, row: dict[str, str]) -> str:
        column = self.mapping.columns.get(name)
        text = self._raw(column, row) if column is not None else ""
        if not text and self.fields[name].must:
            raise Bad(
                "value-missing",
                f"{name!r} is empty here. Fill it in, or leave the row out.",
                column.column if column else "",
            )
        return text

    def _bad(self, code: str, reason: str, name: str, value: str) -> Bad:
        column = self.mapping.columns.get(name) or Column()
        return Bad(code, reason, column.column or name, value)

    def _number(self, name: str, row: dict[str, str], unit: Unit) -> int:
        """Minor units of a decimal number as the mapping says it is written."""
        text = self._text(name, row)
        if not text:
            return 0
        column = self.mapping.columns[name]
        plain = text.replace(column.thousands, "") if column.thousands else text
        plain = plain.replace("\u00a0", "").replace(column.decimal, ".")
        match = re.fullmatch(r"(-?)([0-9]+(?:\.[0-9]+)?)", plain)
        if not match or (column.decimal != "." and "." in text and column.thousands != "."):
            reason = (
                f"{text!r} is not a number such as 12{column.decimal}50."
                " Correct it, or say in the mapping how it is written."
            )
            raise self._bad("number-expected", reason, name, text)
        digits = match[2]
        if column.minor:
            unit = Unit(unit.name)
        elif "." in digits and len(digits) - digits.index(".") - 1 > unit.scale:
            digits = digits.rstrip("0").rstrip(".")
        try:
            amount = unit.read(digits)
        except ValueError as error:
            raise self._bad("too-many-decimals", f"{error}. Round it.", name, text) from error
        if match[1] and amount:
            reason = "An amount below zero cannot come in; what came back is a refund."
            raise self._bad("negative-amount", reason, name, text)
        return amount

    def _money(self, name: str, row: dict[str, str]) -> int:
        return self._number(name, row, self.program.money)

    def _whole(self, name: str, row: dict[str, str], default: int) -> int:
        return self._number(name, row, Unit("items")) if self._text(name, row) else default

    def _moment(self, name: str, row: dict[str, str]) -> int:
        """An instant; without an offset it is the program's local time."""
        text = self._text(name, row)
        layout = self.mapping.columns[name].format
        try:
            moment = self._read_time(text, layout)
        except ValueError as error:
            wanted = layout or "2024-03-01 09:00"
            reason = f"{text!r} is not a time like {wanted}. Correct the row, or the mapping."
            raise self._bad("time-expected", reason, name, text) from error
        if moment > self.latest:
            reason = f"{text!r} is in the future. Correct the row, or say its 'format'."
            raise self._bad("time-out-of-range", reason, name, text)
        return moment

    def _read_time(self, text: str, layout: str) -> int:
        if layout in ("epoch", "epoch ms"):
            return int(text) * (1000 if layout == "epoch" else 1)
        if not layout:
            return self.program.calendar.read(text)
        moment = dt.datetime.strptime(text, layout)  # noqa: DTZ007 - local, or with %z
        return self.program.calendar.read(moment.isoformat())

    def _day(self, name: str, row: dict[str, str]) -> int:
        text = self._text(name, row)
        if not text or text == "never":
            return 0
        layout = self.mapping.columns[name].format
        try:
            if layout:
                return dt.datetime.strptime(text, layout).toordinal()  # noqa: DTZ007
            return calendar.day(text[:10])
        except ValueError as error:
            raise self._bad("date-expected", f"{error}.", name, text) from error

    def _subject(self, row: dict[str, str]) -> str:
        card = self._text("card", row)
        return f"card:{card}" if card else ""

    def _id(self, row: dict[str, str], *said: Any) -> str:
        """The row's own key, or one made of what it says."""
        if "id" in self.mapping.columns:
            key = self._text("id", row)
            if not key:
                raise self._bad("id-missing", "The id is empty here.", "id", "")
            return key
        digest = blake2b(repr(said).encode(), digest_size=12)
        count = self._seen[digest.digest()] = self._seen.get(digest.digest(), 0) + 1
        return f"{digest.hexdigest()}-{count}"

    def _add(self, name: str, amount: int) -> None:
        self.sums[name] = self.sums.get(name, 0) + amount

    # ── kinds of files ───────────────────────────────────────────────────────

    def _purchase(self, row: dict[str, str]) -> list[Piece]:
        text = self._text
        subject, moment = self._subject(row), self._moment("time", row)
        tags = self.mapping.columns.get("tags")
        parts = text("tags", row).split(tags.separator if tags else ",")
        number = text("line", row)
        if not number and "line" in self.mapping.columns:
            raise self._bad("line-missing", "The line's number is empty here.", "line", "")
        line = Line(
            number,
            text("product", row),
            self._whole("quantity", row, 1),
            self._money("amount", row),
            text("category", row),
            text("brand", row),
            text("department", row),
            tuple(part.strip() for part in parts if part.strip()),
            self._money("discount", row),
            self._money("tax", row),
            self._number("measure", row, THOUSANDTHS),
        )
        head = [
            text(name, row)
            for name in ("location", "channel", "tender", "receipt", "partner", "group")
        ]
        key = self._id(row, moment, subject, line, head)
        self._add("amount", line.amount)
        location, channel, tender, receipt, partner, group = head
        body = Purchase((line,), location, channel, tender, receipt, partner, group)
        return [Piece(0, key, moment, subject, body)]

    def _refund(self, row: dict[str, str]) -> list[Piece]:
        text = self._text
        subject, moment = self._subject(row), self._moment("time", row)
        of, line = text("of", row), text("line", row)
        quantity = self._whole("quantity", row, 1)
        lines = ((line, quantity),) if line else ()
        if not line and text("quantity", row):
            reason = "A quantity without its line: name the line, or leave out both for all."
            raise self._bad("line-missing", reason, "line", "")
        body = Refund(of, lines, text("of source", row), text("reason", row) or "refund")
        key = self._id(row, moment, subject, body)
        self._add("quantity", quantity if line else 0)
        return [Piece(0, key, moment, subject, body)]

    def _member(self, row: dict[str, str]) -> list[Piece]:
        card, moment = self._text("card", row), self._moment("time", row)
        facts = [(name, self._raw(each, row)) for name, each in self.mapping.facts.items()]
        body = Enrol(tuple((name, value) for name, value in facts if value))
        return [Piece(0, self._id_of_card(card), moment, f"card:{card}", body)]

    def _opening(self, row: dict[str, str]) -> list[Piece]:
        """The account comes to be, and brings what the row says."""
        card, moment = self._text("card", row), self._moment("time", row)
        key, subject = self._id_of_card(card), f"card:{card}"
        enrol = Piece(0, f"{key}-enrol", moment, subject, Enrol(welcome=False))
        record = self._text("record", row) or "lot"
        if record == "fact":
            name, value = self._text("name", row), self._text("level", row)
            return [enrol, Piece(0, f"{key}-{name}", moment, subject, Know(name, value))]
        reading: dict[str, Callable[[dict[str, str]], Carry]] = {
            "lot": self._lot,
            "tier": self._tier,
            "counter": self._counter,
            "voucher": self._voucher,
            "plan": self._plan,
            "offer": lambda r: Carry("opening", offers=(self._text("name", r),)),
        }
        if record not in reading:
            reason = f"{record!r} is no record. {suggest(record, RECORDS)}"
            raise self._bad("unknown-record", reason, "record", record)
        return [enrol, Piece(0, key, moment, subject, reading[record](row))]

    def _lot(self, row: dict[str, str]) -> Carry:
        units = self.program.units
        name = self._text("name", row) or (next(iter(units)) if len(units) == 1 else "")
        if name not in units:
            reason = f"The program has no balance {name!r}. {suggest(name, units)}"
            raise self._bad("unknown-balance", reason, "name", name)
        amount = self._number("amount", row, units[name])
        if not amount:
            raise self._bad(
                "nothing", "A lot brings more than nothing. Leave the row out.", "amount", "0"
            )
        self._add(name, amount)
        until = self._day("until", row)
        lot = CarriedLot(
            name,
            amount,
            self._day("since", row),
            until + 1 if until else 0,
            0,
            self._text("group", row),
            self._text("member", row),
            self._text("funder", row),
        )
        return Carry("opening", (lot,))

    def _tier(self, row: dict[str, str]) -> Carry:
        name, level = self._text("name", row), self._text("level", row)
        groups = {each.name: each.levels for each in self.program.newest.tiers}
        if name not in groups:
            reason = f"The program has no tiers {name!r}. {suggest(name, groups)}"
            raise self._bad("unknown-tiers", reason, "name", name)
        if level not in groups[name]:
            reason = f"{name!r} has no level {level!r}. {suggest(level, groups[name])}"
            raise self._bad("unknown-level", reason, "level", level)
        until = self._day("until", row)
        tier = CarriedTier(name, level, self._day("since", row), until + 1 if until else 0)
        return Carry("opening", tiers=(tier,))

    def _counter(self, row: dict[str, str]) -> Carry:
        name = self._text("name", row)
        counters = self.counted
        if name not in counters:
            reason = f"The program has no counter {name!r}. {suggest(name, counters)}"
            raise self._bad("unknown-counter", reason, "name", name)
        amount = self._number("amount", row, counters[name])
        self._add(f"counter {name}" if name in self.program.units else name, amount)
        return Carry("opening", counters=((name, self._day("since", row), amount),))

    def _voucher(self, row: dict[str, str]) -> Carry:
        name, code = self._text("name", row), self._text("code", row)
        kinds = self.program.newest.vouchers
        if name not in kinds:
            reason = f"The program has no vouchers {name!r}. {suggest(name, kinds)}"
            raise self._bad("unknown-voucher", reason, "name", name)
        if not code:
            raise self._bad(
                "code-missing", "A voucher has its code. Write it into 'code'.", "code", ""
            )
        until, worth = self._day("until", row), self._money("worth", row)
        self._add("vouchers", 1)
        self._add("worth", worth)
        voucher = CarriedVoucher(code, name, worth, until + 1 if until else 0)
        return Carry("opening", vouchers=(voucher,))

    def _plan(self, row: dict[str, str]) -> Carry:
        """A paid membership: its period, its term, what was paid for it, and if it renews."""
        name, period = self._text("name", row), self._text("period", row)
        plans = self.program.newest.plans.sections
        if name not in plans:
            reason = f"The program has no plan {name!r}. {suggest(name, plans)}"
            raise self._bad("unknown-plan", reason, "name", name)
        periods = [fee.period for fee in plans[name].fee]
        if (period or len(periods) > 1) and period not in periods:
            reason = f"{name!r} is not paid per {period!r}. {suggest(period, periods)}"
            raise self._bad("unknown-period", reason, "period", period)
        renews = self._text("renews", row) or "yes"
        if renews not in ("yes", "no"):
            raise self._bad("unknown-word", "Write yes or no.", "renews", renews)
        since, until = self._day("since", row), self._day("until", row)
        if not until:
            reason = "A plan that is brought is paid until a day. Write its last one."
            raise self._bad("term-missing", reason, "until", "")
        self._add("plans", 1)
        plan = CarriedPlan(
            name,
            period or periods[0],
            since,
            until + 1,
            self._money("worth", row),
            trial=self._text("level", row) == "trial",
            renews=renews == "yes",
        )
        return Carry("opening", plans=(plan,))
