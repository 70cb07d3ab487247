"""Row 2: a year of real purchases decided again, beside one query of DuckDB."""

from __future__ import annotations

import time
from typing import Any

from bench.measure import Row, Spread, cpu, in_turns, ratios, wall
from bench.world import program
from kantis.core.account import Account
from kantis.core.events import Event, Purchase
from kantis.doors.intake.completejourney import Journey
from kantis.engine.decide import decide

GOAL_S = 5.0
EARNS = """coalesce(department, '') NOT IN ('FUEL', 'MISCELLANEOUS')
                AND coalesce(product_type, '') NOT LIKE '%GIFT CARD%'
                AND coalesce(product_type, '') NOT LIKE 'GASOLINE%'"""


def rows(quick: bool) -> list[Row]:
    """The replay of the year, or of a fifth of its households."""
    journey = Journey(500 if quick else None)
    start = time.perf_counter()
    events = list(journey.events())
    read = time.perf_counter() - start
    grocer = program("grocer")
    members = {event.subject: number for number, event in enumerate(events)}
    kept: list[dict[str, Account]] = []

    def replay() -> float:
        accounts = {subject: Account(number) for subject, number in members.items()}
        kept[:] = [accounts]

        def run() -> None:
            for event in events:
                decide(grocer, accounts[event.subject], event)

        return cpu(run)

    query, answer = _query(journey), list[Any]()
    journey.database.execute("SET threads = 1; SET memory_limit = '2GB'")

    def scan() -> float:
        def run() -> None:
            answer[:] = journey.database.execute(query).fetchall()

        return wall(run)

    mine, theirs = in_turns(3, replay, scan)
    _assert_same(kept[0], answer)
    baskets = sum(isinstance(event.body, Purchase) for event in events)
    notes = _notes(journey, events, baskets, read, mine)
    journey.close()
    taken = Spread.of(mine)
    part = f" ({baskets:,} of 155,848 baskets)" if quick else ""
    return [
        Row(
            f"replay of the year{part}",
            taken,
            "s",
            f"≤ {GOAL_S:.0f} s for all",
            taken.middle * 155_848 / baskets <= GOAL_S,
            "one DuckDB query, one thread",
            Spread.of(theirs),
            ratios(mine, theirs),
            "times as long",
            notes,
        )
    ]


def _query(journey: Journey) -> str:
    """What each household spent in a year on what earns points, line by line, in cents."""
    return f"""
        SELECT household_id, sum(cents), sum(cents // 100)
        FROM (
            SELECT household_id, basket_id, sum(CAST(round(sales_value * 100) AS BIGINT)) AS cents
            FROM '{journey.files["transactions"]}' t
            LEFT JOIN '{journey.files["products"]}' p USING (product_id)
            {journey.where} {"AND" if journey.where else "WHERE"}
                {EARNS}
            GROUP BY household_id, basket_id)
        GROUP BY household_id"""


def _assert_same(accounts: dict[str, Account], answer: list[Any]) -> None:
    """What is counted as spend is what the query counts, less the member price."""
    for household, cents, _ in answer:
        account = accounts[f"card:{household}"]
        counted = sum(account.counters.get("spend", {}).values())
        if not cents * 0.97 <= counted <= cents:
            raise AssertionError(f"household {household}: {counted} beside {cents}")


def _notes(
    journey: Journey, events: list[Event], baskets: int, read: float, mine: list[float]
) -> list[str]:
    per = Spread.of(mine).middle / len(events) * 1e6
    return [
        f"{baskets:,} baskets, {journey.lines:,} lines, {len(events):,} events in memory"
        f" (reading them took {read:.1f} s and is not counted); {per:.0f} µs an event",
        "the replay decides everything: tiers, caps, prices, offers, activation after two days,"
        " quarterly vouchers, expiry",
        "the query reads Parquet and sums spend and whole dollars by basket and household:"
        " base points, without tiers, bonus, prices, caps, offers and time",
    ]
