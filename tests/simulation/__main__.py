"""Replay a seed, try a range of them, or list who catches the planted faults.

python -m tests.simulation --seed 17 --events 2000
python -m tests.simulation --seeds 200 --events 5000
python -m tests.simulation --seed 17 --events 600 --office
python -m tests.simulation --program tesco-clubcard --seed 3 --events 300
python -m tests.simulation --faults
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time

from tests.simulation.faults import PLANTED, catch
from tests.simulation.office import Office
from tests.simulation.run import Failure, Run, commit, program_of, report
from tests.simulation.survey import Fallen, Survey
from tests.simulation.world import SHIPPED


def main() -> int:
    """Run what is asked for; 1 when something does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="one seed")
    parser.add_argument("--seeds", type=int, default=200, help="the seeds from 0 on")
    parser.add_argument("--events", type=int, default=2000, help="events of each seed")
    parser.add_argument("--office", action="store_true", help="through the desk, on SQLite")
    parser.add_argument("--program", choices=SHIPPED, help="a program file, with its own mix")
    parser.add_argument("--faults", action="store_true", help="which seed catches which fault")
    given = parser.parse_args()
    if given.faults:
        return tell_faults()
    seeds = [given.seed] if given.seed is not None else list(range(given.seeds))
    begun, failed = time.perf_counter(), 0
    for seed in seeds:
        if given.program:
            failed += not try_program(given.program, seed, given.events)
        else:
            failed += not try_seed(seed, given.events, office=given.office)
    spent = time.perf_counter() - begun
    events = len(seeds) * given.events
    print(
        f"{len(seeds)} seeds of {given.events} events in {spent:.0f} s "
        f"({events / spent:.0f} events/s), {failed} failed, commit {commit()}"
    )
    return int(failed > 0)


def try_seed(seed: int, events: int, *, office: bool) -> bool:
    """Run a seed and tell how it went; whether all held."""
    try:
        if office:
            with tempfile.TemporaryDirectory() as folder:
                Office(seed, f"{folder}/books.db").explore(events)
            print(f"seed {seed} ({program_of(seed)}): all holds")
        else:
            run = Run(seed)
            run.explore(events)
            print(f"seed {seed} ({program_of(seed)}): all holds, {run.digest.hexdigest()}")
    except Failure as failure:
        print(report(failure))
        return False
    return True


def try_program(name: str, seed: int, events: int) -> bool:
    """Run a seed of a program file and tell how it went; whether all held."""
    try:
        Survey(name, seed).explore(events)
    except Fallen as fallen:
        print(fallen)
        return False
    print(f"seed {seed} ({name}): all holds")
    return True


def tell_faults() -> int:
    """The planted faults with the seed and the event that caught them."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (wrong, fault) in enumerate(PLANTED.items(), 1):
            failure = catch(fault, folder)
            missed += failure is None
            where = f"seed {failure.seed}, event {failure.number}" if failure else "NOT CAUGHT"
            print(f"{number:2} {wrong}: {where}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
