"""Panels: the figures as tables, each with its definition, for every door that shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct

from kantis.core import calendar
from kantis.core.amounts import Unit
from kantis.desk.measures import definitions, figures
from kantis.desk.measures.answers import Answers
from kantis.desk.measures.definitions import Definition
from kantis.desk.measures.effects import Effect
from kantis.desk.measures.figures import Measures, Month
from kantis.desk.measures.mixes import Part, mixed
from kantis.desk.surveys import GOOD, POOR, SCORES

#: Margin of sales, in percent, where nobody says another.
MARGIN: Final = 30
#: Decimals of a share where it is written for other programs.
_DECIMALS: Final = 4


class Cell(Struct, frozen=True):
    """A figure: a ``month`` (its first day), a ``day``, a ``number``, ``money`` in minor units, an
    amount of the balance ``unit``, or a ``share`` or a ``rate``, which are ``value`` of ``of``.
    A ``name`` is the word ``unit``, and a ``text`` one that each language has."""

    kind: str
    value: int
    of: int = 1
    unit: str = ""


class Panel(Struct, frozen=True):
    """A measure: its definition, and rows of figures; ``name`` is the balance that it is of.

    ``columns`` are those of the definition that say something, and ``draws`` those of the
    chart among them. ``triangle`` says that what comes after is a triangle of shares.
    """

    key: str
    definition: Definition
    columns: tuple[str, ...]
    rows: list[list[Cell | None]]
    draws: tuple[int, ...] = ()
    name: str = ""
    triangle: bool = False


class Headline(Struct, frozen=True):
    """A figure that stands above all charts; ``month`` is the one that it is of, or 0."""

    title: str
    cell: Cell | None
    month: int = 0


class Board(Struct, frozen=True):
    """All that is shown of a program's figures; ``upto`` is when the last was booked, ``months``
    are the first days of all months that there are, ``last`` that of the last one here."""

    headlines: list[Headline]
    panels: list[Panel]
    upto: int
    months: list[int]
    last: int


def board(
    found: Measures, units: dict[str, Unit], months: int, margin: int = MARGIN, until: int = 0
) -> Board:
    """The figures of so many months, at a margin in percent.

    ``until`` is the first day of the last month; without it that is the last one in which
    anybody joined or bought.
    """
    lively = [m.first for m in found.months if m.joined or m.bought.count or m.alone.count]
    last = until or (lively[-1] if lively else 0)
    seen = [month for month in found.months if not last or month.first <= last]
    if not seen:
        return Board([], [], found.upto, [], 0)
    every = [month.first for month in found.months]
    shown, found = seen[-months:], _until(found, seen)
    made = [
        _enrolment(shown), _active(shown), _retention(found, shown[0].first), _return(found, shown),
        _frequency(shown), _orders(shown), _value(found, shown[0].first),
        *_mixes(shown, seen[:-months][-months:]),
    ]  # fmt: skip
    for name in [name for name in units if any(name in each.flows for each in shown)]:
        made += [_points(shown, name), _redemption(found, shown[0].first, name)]
    if any(each.up or each.down for each in found.months):
        made.append(_levels(shown))
    if any(each.vouchers for each in found.months):
        made.append(_vouchers(shown))
    if any(month.first in found.answers for month in shown):
        made.append(_answers(found, shown))
    made += [_liability(shown), _cost(shown, margin)]
    if found.effects:
        made.append(_effects(found.effects))
    return Board(_headlines(found), made, found.upto, every, shown[-1].first)


def _until(found: Measures, seen: list[Month]) -> Measures:
    """The figures as they look from the end of a month; what is known since stays in them."""
    last = seen[-1].first
    cohorts = [
        figures.Cohort(
            each.first, each.joined, each.active[: len(seen) - n], each.sales[: len(seen) - n]
        )
        for n, each in enumerate(found.cohorts[: len(seen)])
    ]
    earned = [each for each in found.earned if each.first <= last]
    returns = [each for each in found.returns if each.first <= last]
    about = earned, returns, found.effects, found.upto, found.answers
    return Measures(seen, cohorts, *about)


# ── cells ────────────────────────────────────────────────────────────────────


def _month(first: int) -> Cell:
    return Cell("month", first)


def _number(value: int) -> Cell:
    return Cell("number", value)


def _money(value: int) -> Cell:
    return Cell("money", value)


def _share(value: int, of: int) -> Cell | None:
    return Cell("share", value, of) if of > 0 else None


def _rate(value: int, of: int) -> Cell | None:
    return Cell("rate", value, of) if of > 0 else None


def _each(value: int, of: int) -> Cell | None:
    """Money for each of so many, to the nearest minor unit."""
    return Cell("money", (2 * value + of) // (2 * of)) if of > 0 else None


def _panel(definition: Definition, rows: list[list[Cell | None]]) -> Panel:
    return Panel(definition.key, definition, definition.columns, rows, definition.draws)


# ── panels ───────────────────────────────────────────────────────────────────


def _enrolment(shown: Sequence[Month]) -> Panel:
    rows = [[_month(m.first), _number(m.joined), _number(m.members)] for m in shown]
    return _panel(definitions.ENROLMENT, [list(row) for row in rows])


def _active(shown: Sequence[Month]) -> Panel:
    return _panel(
        definitions.ACTIVE,
        [
            [
                _month(m.first), _number(m.active), _share(m.active, m.members),
            ]
            for m in shown
        ],
    )  # fmt: skip


def _frequency(shown: Sequence[Month]) -> Panel:
    return _panel(
        definitions.FREQUENCY,
        [
            [
                _month(m.first), _number(m.active), _number(m.bought.count),
                _rate(m.bought.count, m.active),
            ]
            for m in shown
        ],
    )  # fmt: skip


def _retention(found: Measures, first: int) -> Panel:
    cohorts = [each for each in found.cohorts if each.first >= first and each.joined]
    width = max((len(each.active) for each in cohorts), default=0)
    rows: list[list[Cell | None]] = []
    for each in cohorts:
        shares = [_share(count, each.joined) for count in each.active]
        empty: list[Cell | None] = [None] * (width - len(shares))
        rows.append([_month(each.first), _number(each.joined), *shares, *empty])
    columns = (*definitions.RETENTION.columns, *map(str, range(width)))
    return Panel("retention", definitions.RETENTION, columns, rows, triangle=True)


def _return(found: Measures, shown: Sequence[Month]) -> Panel:
    rows: list[list[Cell | None]] = []
    for each in found.returns:
        if each.first < shown[0].first:
            continue
        days = each.median
        rows.append([
            _month(each.first), _number(each.members), _number(each.again),
            _share(each.again, each.members), None if days is None else _number(days),
        ])  # fmt: skip
    return _panel(definitions.RETURN, rows)


def _orders(shown: Sequence[Month]) -> Panel:
    panel = _panel(
        definitions.ORDERS,
        [
            [
                _month(m.first), _number(m.bought.count), _each(m.bought.amount, m.bought.count),
                _number(m.alone.count), _each(m.alone.amount, m.alone.count),
            ]
            for m in shown
        ],
    )  # fmt: skip
    return _without(panel, lambda n, cells: n > 2 and not any(m.alone.count for m in shown))


def _value(found: Measures, first: int) -> Panel:
    return _panel(
        definitions.VALUE,
        [
            [
                _month(each.first), _number(each.joined), _money(sum(each.sales)),
                _each(sum(each.sales), each.joined),
            ]
            for each in found.cohorts
            if each.first >= first and each.joined
        ],
    )  # fmt: skip


def _mixes(shown: Sequence[Month], before: Sequence[Month]) -> list[Panel]:
    """What is bought and where; only what tills and shops have words for."""
    made = []
    parts, whole = mixed(shown, before, "kinds")
    if parts:
        made.append(_compared(definitions.PRODUCTS, whole, [
            [
                _word(each), _money(each.now.amount), _share(each.now.amount, whole.now.amount),
                _share(each.before.amount, whole.before.amount), _money(each.alone.amount),
                _share(each.alone.amount, whole.alone.amount),
            ]
            for each in parts
        ]))  # fmt: skip
    parts, whole = mixed(shown, before, "channels")
    if parts:
        made.append(_compared(definitions.CHANNELS, whole, [
            [
                _word(each), _number(each.now.count), _share(each.now.count, whole.now.count),
                _share(each.before.count, whole.before.count), _number(each.alone.count),
                _share(each.alone.count, whole.alone.count), _money(each.now.amount),
                _each(each.now.amount, each.now.count),
            ]
            for each in parts
        ]))  # fmt: skip
    return made


def _word(part: Part) -> Cell:
    return Cell("text" if part.is_ours else "name", 0, 1, part.name)


def _compared(definition: Definition, whole: Part, rows: list[list[Cell | None]]) -> Panel:
    """Shares beside those before and those without a card, where there is anything of them."""
    panel = Panel(definition.key, definition, definition.columns, rows, triangle=True)
    empty = {3: not whole.before.count, 4: not whole.alone.count, 5: not whole.alone.count}
    return _without(panel, lambda n, _: empty.get(n, False))


#: Sides of the system in the order of their columns.
_SIDES: Final = (
    "earned", "carried", "moved", "adjusted", "redeemed", "expired", "reversed", "forfeited",
    figures.ELSEWHERE,
)  # fmt: skip
_ALWAYS: Final = (0, 1, 2, 6, 7, 11, 13)


def _points(shown: Sequence[Month], name: str) -> Panel:
    rows: list[list[Cell | None]] = []
    for month in shown:
        flow = month.flows.get(name) or figures.Flow()
        amounts = [
            flow.opening, *(flow.sides.get(side, 0) for side in _SIDES), flow.closing,
            flow.activated, flow.turned + flow.spent,
        ]  # fmt: skip
        rows.append([_month(month.first), *(Cell("points", each, 1, name) for each in amounts)])
    panel = _panel(definitions.POINTS, rows)

    def says_nothing(column: int, cells: Sequence[Cell | None]) -> bool:
        return column not in _ALWAYS and not any(each and each.value for each in cells)

    return _of(_without(panel, says_nothing), name)


def _redemption(found: Measures, first: int, name: str) -> Panel:
    rows: list[list[Cell | None]] = [
        [
            _month(each.first), Cell("points", each.earned, 1, name),
            Cell("points", each.spent, 1, name), _share(each.spent, each.earned),
        ]
        for each in found.earned
        if each.balance == name and each.first >= first
    ]  # fmt: skip
    return _of(_panel(definitions.REDEMPTION, rows), name)


def _levels(shown: Sequence[Month]) -> Panel:
    rows: list[list[Cell | None]] = [
        [_month(m.first), _number(m.up), _number(m.down)] for m in shown
    ]
    return _panel(definitions.LEVELS, rows)


def _vouchers(shown: Sequence[Month]) -> Panel:
    rows: list[list[Cell | None]] = []
    for month in shown:
        pairs = [month.vouchers.get(each, figures.Pair()) for each in ("issued", "used", "expired")]
        row: list[Cell | None] = [_month(month.first)]
        for pair in (*pairs, month.open_vouchers):
            row += [_number(pair.count), _money(pair.amount)]
        rows.append(row)
    return _panel(definitions.VOUCHERS, rows)


def _answers(found: Measures, shown: Sequence[Month]) -> Panel:
    rows: list[list[Cell | None]] = []
    for month in shown:
        said = found.answers.get(month.first) or Answers()
        count, total = said.of(*SCORES), sum(score * n for score, n in said.scores.items())
        rows.append([
            _month(month.first), _number(said.asked), _number(count), _rate(total, count),
            _share(said.of(*GOOD), count), _share(said.of(*POOR), count),
        ])  # fmt: skip
    return _panel(definitions.ANSWERS, rows)


def _liability(shown: Sequence[Month]) -> Panel:
    return _panel(
        definitions.LIABILITY,
        [
            [
                _month(m.first), _money(m.points_liability), _money(m.open_vouchers.amount),
                _money(m.liability),
            ]
            for m in shown
        ],
    )  # fmt: skip


def _cost(shown: Sequence[Month], margin: int) -> Panel:
    rows: list[list[Cell | None]] = []
    for m in shown:
        net = m.cost - m.fees
        rows.append([
            _month(m.first), _money(m.sales), _money(m.points_cost), _money(m.voucher_cost),
            _money(m.price_cuts), _money(m.fees), _money(net), _share(net, m.sales),
            _share(net * 100, m.sales * margin), _money(m.offered),
        ])  # fmt: skip
    panel = _panel(definitions.COST, rows)
    idle = {5: not any(m.fees for m in shown), 9: not any(m.offered for m in shown)}
    return _without(panel, lambda n, _: idle.get(n, False))


def _effects(found: Sequence[Effect]) -> Panel:
    rows: list[list[Cell | None]] = []
    for each in found:
        low, high = each.interval or (None, None)
        groups = [
            cell
            for group in (each.got, each.held)
            for cell in (
                _number(group.members), _share(group.buyers, group.members),
                _each(group.spend, group.members),
            )
        ]  # fmt: skip
        between = [None if n is None else _money(n) for n in (each.difference, low, high)]
        rows.append([Cell("name", 0, 1, each.name), Cell("day", each.day), *between, *groups])
    return _panel(definitions.EFFECTS, rows)


def _without(panel: Panel, goes: Callable[[int, Sequence[Cell | None]], bool]) -> Panel:
    """A panel without the columns that say nothing."""
    cells = list(zip(*panel.rows, strict=True))
    kept = [n for n in range(len(panel.columns)) if not goes(n, cells[n])]
    return Panel(
        panel.key,
        panel.definition,
        tuple(panel.columns[n] for n in kept),
        [[row[n] for n in kept] for row in panel.rows],
        tuple(kept.index(n) for n in panel.draws if n in kept),
        panel.name,
        panel.triangle,
    )


def _of(panel: Panel, name: str) -> Panel:
    key = f"{panel.key}-{name.replace(' ', '-')}"
    return Panel(key, panel.definition, panel.columns, panel.rows, panel.draws, name)


# ── what stands above ────────────────────────────────────────────────────────


def _headlines(found: Measures) -> list[Headline]:
    """Of the last month, and shares of all time until then."""
    last = found.months[-1]
    everybody = sum(each.members for each in found.returns)
    again = sum(each.again for each in found.returns)
    alike = len({each.balance for each in found.earned}) == 1  # stamps and points do not add up
    earned = sum(each.earned for each in found.earned) if alike else 0
    spent = sum(each.spent for each in found.earned)
    cost, sales = sum(m.cost - m.fees for m in found.months), sum(m.sales for m in found.months)
    cells = (
        _number(last.members), _number(last.active), _share(again, everybody),
        _share(spent, earned), _money(last.liability), _share(cost, sales),
    )  # fmt: skip
    months = (last.first, last.first, 0, 0, last.first, 0)
    return [Headline(*each) for each in zip(definitions.HEADLINES, cells, months, strict=True)]


# ── for other programs ───────────────────────────────────────────────────────


def plain(cell: Cell | None, money: Unit, units: dict[str, Unit]) -> Any:
    """A figure as other programs read it: a month, a number, or a decimal number as text.

    >>> plain(Cell("share", 1, 3), Unit("EUR", 2, money=True), {})
    '0.3333'
    >>> plain(Cell("month", 738946), Unit("EUR", 2, money=True), {})
    '2024-03'
    """
    if cell is None:
        return None
    if cell.kind in ("name", "text"):
        return cell.unit
    if cell.kind in ("month", "day"):
        return calendar.show_day(cell.value)[: 7 if cell.kind == "month" else None]
    if cell.kind == "number":
        return cell.value
    if cell.kind == "money":
        return money.number(cell.value)
    if cell.kind == "points":
        return units[cell.unit].number(cell.value)
    scaled = (2 * abs(cell.value) * 10**_DECIMALS + cell.of) // (2 * cell.of)
    return Unit("", _DECIMALS).number(scaled if cell.value >= 0 else -scaled)
