"""Row 9: a member found among many, by e-mail, by phone, and by the start of a name.

The names are as uneven as those of people: of the Vietnamese ones, more than a third begin
with the same word, so that the first letters of a name find hundreds of thousands.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import kantis.desk
from bench.measure import Row, Spread
from bench.world import tree
from kantis.desk.submit import Desk
from kantis.desk.vault.keyfile import FolderKeys
from kantis.desk.vault.person import Person
from kantis.desk.vault.vault import Reader, Vault

MEMBERS, MANY = 100_000, 1_000_000
GOAL_MS = 100
_BATCH = 1_000

_FAMILY = (
    "Nguyễn " * 38 + "Trần " * 11 + "Lê " * 9 + "Phạm " * 7 + "Hoàng " * 5 + "Phan " * 4
    + "Vũ " * 4 + "Đặng " * 2 + "Bùi " * 2 + "Đỗ " * 2 + "Hồ Ngô Dương Lý"
).split()  # fmt: skip
_MIDDLE = ("Thị " * 5 + "Văn " * 4 + "Minh Ngọc Đức Hữu Quốc Thanh Xuân Thu").split()
_GIVEN = (
    "An Anh Bình Châu Chi Cường Dũng Dung Giang Hà Hải Hạnh Hiền Hoa Hòa Hùng Hương Khánh Lan Linh "
    "Loan Long Mai Minh Nam Nga Ngân Nhung Oanh Phong Phúc Phương Quang Quyên Sơn Tâm Thảo Thắng "
    "Thủy Trang Trung Tú Tuấn Tuyết Uyên Vân Việt Vinh Xuân Yến"
).split()
_FINNISH = (
    "Aino Antti Anneli Eero Elina Hanna Heikki Helena Ilkka Jaakko Johanna Juhani Kaarina Kalle "
    "Kari Katja Lauri Leena Maija Mikko Minna Niina Outi Päivi Pekka Riitta Sami Sanna Tapio Tiina "
    "Timo Tuula Väinö Õnne Ülle Jaan Kadri Märt Piret Tõnu"
).split()
_STARTS = (
    "Korho Virta Mäki Niemi Laiti Heiki Koski Järvi Leht Salo Pöl Tamm Õuna Kask Rebas".split()
)
_ENDS = "nen la nen mäki ranta niemi puu saar soo salo aho lahti".split()


def rows(quick: bool, folder: Path) -> list[Row]:
    """Among a hundred thousand members; among a million with ``big``."""
    return _rows(20_000 if quick else MEMBERS, folder)


def many(quick: bool, folder: Path) -> list[Row]:
    """Among a million members."""
    return _rows(MEMBERS if quick else MANY, folder)


def person(number: int) -> Person:
    """A member of that number, always the same."""
    dice = random.Random(number)
    if number % 2:
        family, given = dice.choice(_FAMILY), f"{dice.choice(_MIDDLE)} {dice.choice(_GIVEN)}"
        phone = f"+8490{number:07}"
    else:
        family, given = dice.choice(_STARTS) + dice.choice(_ENDS), dice.choice(_FINNISH)
        phone = f"+35840{number:07}"
    return Person(given, family, f"member.{number}@example.org", phone, "05-17", "fi")


def _rows(count: int, folder: Path) -> list[Row]:
    with _filled(count, folder) as (desk, vault):
        return list(_measured(desk, vault, count))


@contextmanager
def _filled(count: int, folder: Path) -> Iterator[tuple[Desk, Vault]]:
    with kantis.desk.open(str(folder / "members.db")) as desk:
        assert isinstance(desk, Desk)
        desk.publish("grocer", 0, "", tree("grocer"))
        vault = Vault(desk, FolderKeys(folder / "members.vault", new=True))
        numbers = iter(range(count))
        began = time.perf_counter()
        while part := list(islice(numbers, _BATCH)):
            vault.reserve(len(part))
            vault.file(*(vault.draft(1, n + 1, f"bench/{n}", person(n), b"", 1)[0] for n in part))
        vault.filled_s = time.perf_counter() - began  # type: ignore[attr-defined]
        yield desk, vault


def _measured(desk: Desk, vault: Vault, count: int) -> Iterator[Row]:
    dice = random.Random(7)
    picks = [dice.randrange(count) for _ in range(200)]
    with desk.books.reader() as books:
        searches: dict[str, Callable[[int], object]] = {
            "e-mail": lambda n: vault.by_email(books, 1, person(n).email),
            "phone": lambda n: vault.by_phone(books, 1, person(n).phone),
            "whole name": lambda n: vault.by_name(books, 1, person(n).name),
            "three letters": lambda n: vault.by_name(books, 1, person(n).family_name[:3] + "…"),
            "the commonest start (ngu)": lambda n: vault.by_name(books, 1, "ngu"),
            "two common starts (nguyen thi)": lambda n: vault.by_name(books, 1, "nguyen thi"),
            "two common starts that nobody has (nguyen tran)": lambda n: vault.by_name(
                books, 1, "nguyen tran"
            ),
        }
        for what, search in searches.items():
            yield _timed(f"{what}, among {count:,}", lambda n, s=search: s(n), picks)  # type: ignore[misc]
        found = vault.by_name(books, 1, "nguyen")

        def noted(n: int) -> object:
            return vault.note(found, Reader("bench", "search"), ("given_name",))

        yield _timed(f"who reads {len(found)} members is written down", noted, picks)
    yield _size(desk, vault, count)


def _timed(name: str, work: Callable[[int], object], picks: list[int]) -> Row:
    work(picks[0])
    taken = []
    for number in picks:
        began = time.perf_counter()
        work(number)
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    spread = Spread(taken[len(taken) // 2], taken[0], taken[-1])
    late = taken[int(len(taken) * 0.99)]
    goal = f"at most {GOAL_MS} ms, p99"
    return Row(name, spread, "ms", goal, late <= GOAL_MS, notes=[f"p99 {late:.1f} ms"])


def _size(desk: Desk, vault: Vault, count: int) -> Row:
    size = desk.books.one("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    each = size / count
    rate = count / vault.filled_s  # type: ignore[attr-defined]
    marks = desk.books.one("SELECT count(*) FROM mark") / count
    notes = [f"{marks:.1f} hashes a member, {rate:,.0f} members/s brought in"]
    return Row("books of a member", Spread(each, each, each), "bytes", "", notes=notes)
