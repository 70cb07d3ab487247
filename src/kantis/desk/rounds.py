"""Rounds: what is done for the books when nobody asks, once a minute.

Guarantee: while a process goes rounds, what time does to accounts that nobody touches shows
in the books within a round, approved adjustments that were not sent are sent, parked events
whose cause another process wrote are decided, a checkpoint stands over all that is older than
two rounds, what stands under it is counted for reports, and budgets that have reached their
alarm are told of. A request waits for at most one batch of it. Of several processes one goes
the round.
"""

from __future__ import annotations

from typing import Final

from kantis.desk import budget_stops, budgets, gifts, reminding, surveys
from kantis.desk.adjusting import send_rest
from kantis.desk.jobs import Job, Kind, Progress
from kantis.desk.measures.tallying import catch_up
from kantis.desk.segments import refreshing
from kantis.desk.submit import Desk, wall_clock
from kantis.desk.sweep import sweep
from kantis.desk.writer import RemoteDesk

EVERY_MS: Final = 60_000
_TIDY_EVERY_MS: Final = 3_600_000
#: Accounts that are advanced at once; a till may wait for them.
COUNT: Final = 200

#: Between two batches of it those who wait get the books.
PAUSE_S: Final = 0.005


def go_round(desk: Desk | RemoteDesk, job: Job, progress: Progress) -> str:
    """Let time pass, decide what waits, make a checkpoint; what was done, in words."""

    def over() -> bool:
        progress.say(0, 0)
        return progress.pause(PAUSE_S)

    if isinstance(desk, Desk):
        passed = sweep(desk, count=COUNT, over=over)
    else:
        passed = desk.sweep(None, COUNT)
    if progress.stop():
        return f"{passed} accounts, then stopped"
    if isinstance(desk, Desk):
        send_rest(desk)
    desk.chore("thaw")
    settled = desk.settle()
    made = desk.checkpoint()
    catch_up(desk, over)
    budgets.tell(desk)
    budget_stops.tell(desk)
    return f"{passed} accounts, {settled} events" + (f", checkpoint {made}" if made else "")


def tidy(desk: Desk | RemoteDesk, job: Job, progress: Progress) -> str:
    """Forget deliveries, letters and jobs whose time is over; how many."""
    forgotten = desk.chore("forget_old", wall_clock())
    desk.chore("forget_mails")
    return f"{forgotten} deliveries, {desk.chore('forget_jobs', wall_clock())} jobs"


def kinds(every_ms: int = EVERY_MS) -> dict[str, Kind]:
    """The jobs that come again and again, and what is asked for in between."""
    return {
        "rounds": Kind(go_round, every_ms),
        "tidy": Kind(tidy, _TIDY_EVERY_MS),
        "segments": Kind(refreshing.refresh_all, refreshing.EVERY_MS),
        "segment": Kind(refreshing.refresh_one),
        reminding.JOB: Kind(reminding.run, reminding.EVERY_MS),
        surveys.JOB: Kind(surveys.run, surveys.EVERY_MS),
        gifts.JOB: Kind(gifts.take_back, gifts.EVERY_MS),
    }
