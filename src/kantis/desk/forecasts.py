"""Forecasts: a quote of a purchase with what each rule would do, from the books."""

from __future__ import annotations

from msgspec import structs

from kantis.core.account import Account
from kantis.core.events import Event, Purchase
from kantis.desk.batch import Request
from kantis.desk.programs import Home
from kantis.desk.results import ALONE, DECIDED, Result
from kantis.desk.showing import left_of, now_of
from kantis.desk.submit import Desk
from kantis.engine.forecast import Forecast, forecast


def quoted(desk: Desk, event: Event, *, program: str = "") -> tuple[Result, Forecast | None]:
    """What ``submit`` would answer now, and the forecast of a purchase.

    A purchase without a member is forecast for somebody who would join with it. There is no
    forecast of what is refused, or waits for a card that nobody knows.
    """
    with desk.trial() as batch:
        batch.decide([Request(program, [event])], ready=0)
        ((result,),) = batch.results()
        home = desk.homes.find(program)
        decided = result.outcome in (DECIDED, ALONE) and result.refusal is None
        if home is None or not decided or not isinstance(event.body, Purchase):
            return result, None
        return result, _forecast(desk, home, event, result.account, batch.now)


def _forecast(desk: Desk, home: Home, event: Event, account: int, now: int) -> Forecast:
    """The forecast of a purchase of an account; 0 is somebody who would join with it."""
    state = Account(0)
    if account:
        row = desk.books.account(account)
        assert row is not None
        state = now_of(home, row, now)
    at = max(now, state.at)
    said = structs.replace(event, time=min(event.time or now, at), received=at)
    limits = left_of(desk.books, home, state, said.time)
    return forecast(home.program, state, said, at, limits)
