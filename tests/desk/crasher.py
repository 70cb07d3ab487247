"""Runs a desk that is killed at random instants, again and again, and keeps what it acknowledged.

Every other till streams its batches: on SQLite they are written by a process beside it.

``python -m tests.desk.crasher URL ROUNDS SEED`` forks one till per round. The till submits
batches and says through a pipe what was answered; after a random time it gets kill -9. The
acknowledged answers of all rounds are printed as JSON. A process of its own, without
threads, so that it can fork safely.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator

from kantis.core.events import Event
from kantis.desk.submit import Desk
from kantis.desk.writer import open_desk
from kantis.store.books import Conflict, Outage
from tests.desk.shop import NOON, Shop
from tests.desk.stub import STUB

CARDS = 12


def till(url: str, round_: int, seed: int, pipe: int) -> None:
    """Sell until killed; each answer goes into the pipe after it was given."""
    dice = random.Random(seed)
    shop = Shop.__new__(Shop)
    shop.now = NOON
    desk = open_desk(url, engine=STUB, clock=lambda: NOON)
    assert isinstance(desk, Desk), "the lease of the one before is free"

    def batches() -> Iterator[list[Event]]:
        number = 0
        while True:
            batch = []
            for _ in range(dice.choice([1, 1, 2, 5, 40])):
                name, card = f"{round_}-{number}", f"{dice.randrange(CARDS)}"
                number += 1
                if dice.random() < 0.6:
                    batch.append(shop.buy(name, card, dice.randrange(100, 9_000)))
                else:
                    batch.append(shop.redeem(name, card, dice.randrange(1, 80)))
            yield batch

    sales = desk.stream(batches()) if round_ % 2 else map(desk.submit, batches())
    for answers in sales:
        lines = [
            f"{each.key} {each.outcome} {each.entry.seq if each.entry else 0}\n" for each in answers
        ]
        os.write(pipe, "".join(lines).encode())


def one_round(url: str, round_: int, dice: random.Random) -> list[str]:
    """Fork a till, kill it, and return the lines that it wrote in full."""
    reader, writer = os.pipe()
    seed, life = dice.randrange(1 << 30), dice.uniform(0, 0.12)
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            till(url, round_, seed, writer)
        except (Conflict, Outage):
            os._exit(3)
        finally:
            os._exit(4)
    os.close(writer)
    parts = [os.read(reader, 1 << 16)]  # the first answer: it has started
    time.sleep(life)
    os.kill(child, signal.SIGKILL)
    while part := os.read(reader, 1 << 16):
        parts.append(part)
    os.close(reader)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the till ended by itself with {status}"
    return [line for line in b"".join(parts).decode().split("\n")[:-1] if line]


def main() -> None:
    url, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    acknowledged: list[str] = []
    for round_ in range(rounds):
        acknowledged += one_round(url, round_, dice)
    json.dump(acknowledged, sys.stdout)


if __name__ == "__main__":
    main()
