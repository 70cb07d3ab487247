"""Tills: a code pairs one device, a PIN is tried a few times, and who goes away shows it again."""

import pytest

from kantis.core.knobs import ProgramError, plain
from kantis.desk import keys, staff, text, tills, tries
from kantis.desk.audit import By
from kantis.desk.submit import Desk
from kantis.store import hands
from tests.desk.test_staff import clock_of, desk

__all__ = ["desk"]
BY = By("test")
SHOP = """
program: {name}
money: EUR
timezone: Europe/Helsinki
balances: {{points: {{expires: never}}}}
earning: {{all: {{give: 1 point per 1 EUR}}}}
"""


def shop(desk: Desk, name: str = "shop") -> int:
    source = SHOP.format(name=name)
    desk.publish(name, 0, source, plain(text.read(source)))
    return desk.books.programs()[name]


def paired(desk: Desk, program: int, name: str = "First", location: str = "") -> str:
    secret = tills.pair(desk, tills.offer(desk, program, name, location, BY), "here")
    row = desk.keyring.find(secret, desk.books)
    assert row is not None
    return row.prefix


def cashier(desk: Desk, program: str = "shop", role: str = "cashier", login: str = "kaisa") -> int:
    return staff.invite(desk, login, "Kaisa", role, program, BY)[0]


def stands(desk: Desk, key: str, program: int) -> int:
    found = tills.standing(desk.books, key, program, desk.clock())
    assert found is not None
    return found.cashier.number if found.cashier is not None else 0


def test_a_code_pairs_one_device_as_a_source_of_its_own(desk: Desk) -> None:
    program = shop(desk)
    code = tills.offer(desk, program, "Kassa 1", "north", BY)
    secret = tills.pair(desk, f" {code.lower()} ", "here")
    row = desk.keyring.find(secret, desk.books)
    assert row is not None
    assert (row.program, row.scope, row.source, row.location) == (
        program, "till", "till-kassa-1", "north",
    )  # fmt: skip
    assert tills.pair(desk, code, "here") == ""
    second = tills.pair(desk, tills.offer(desk, program, "Kassa 1", "", BY), "here")
    other = desk.keyring.find(second, desk.books)
    assert other is not None
    assert other.source == "till-kassa-1-2"
    deeds = [each.deed for each in hands.audit(desk.books, 1 << 60, 10)]
    assert deeds[:4] == ["key", "pair", "key", "pair"]


def test_a_code_ends_and_is_guessed_a_few_times_only(desk: Desk) -> None:
    program = shop(desk)
    code = tills.offer(desk, program, "First", "", BY)
    clock_of(desk).now += tills.PAIR_MS
    assert tills.pair(desk, code, "here") == ""
    code = tills.offer(desk, program, "First", "", BY)
    for _ in range(20):
        assert tills.pair(desk, "WRONG234", "there") == ""
    assert tills.pair(desk, code, "there") == ""  # right, and too late
    assert tills.pair(desk, code, "here") != ""


def test_a_name_that_nobody_could_read_is_refused(desk: Desk) -> None:
    program = shop(desk)
    for name, location in (("", ""), ("x" * 61, ""), ("a\nb", ""), ("a", "x" * 61)):
        with pytest.raises(ProgramError):
            tills.offer(desk, program, name, location, BY)


def test_a_pin_lets_in_and_wrong_ones_close_it(desk: Desk) -> None:
    program, number = shop(desk), cashier(desk)
    key, other = paired(desk, program), paired(desk, program, "Second")
    pin = tills.give_pin(desk, program, number, BY)
    wrong = "000000" if pin != "000000" else "111111"
    assert tills.enter(desk, key, program, number, pin) == ""
    assert stands(desk, key, program) == number
    assert stands(desk, other, program) == 0
    for _ in range(5):
        assert tills.enter(desk, key, program, number, wrong) == "wrong-pin"
    assert tills.enter(desk, key, program, number, pin) == "too-many-tries"
    assert tills.enter(desk, other, program, number, pin) == ""  # closed at that till only
    clock_of(desk).now += tries.WITHIN_MS
    assert tills.enter(desk, key, program, number, pin) == ""


def test_who_goes_away_shows_the_pin_again(desk: Desk) -> None:
    program, number = shop(desk), cashier(desk)
    key = paired(desk, program)
    tills.stand(desk, key, number)
    clock_of(desk).now += tills.IDLE_MS
    assert stands(desk, key, program) == number
    clock_of(desk).now += 1
    assert stands(desk, key, program) == 0
    tills.stand(desk, key, number)
    staff.end(desk, number, BY)
    assert stands(desk, key, program) == 0


def test_nobody_of_another_program_or_role_stands_at_a_till(desk: Desk) -> None:
    program, _ = shop(desk), shop(desk, "other")
    key = paired(desk, program)
    for login, role, home in (("a1", "cashier", "other"), ("a2", "auditor", "shop")):
        number = cashier(desk, home, role, login)
        assert tills.give_pin(desk, program, number, BY) == ""
        assert tills.enter(desk, key, program, number, "") == "wrong-pin"
        tills.stand(desk, key, number)
        assert stands(desk, key, program) == 0


def test_a_key_that_no_device_was_paired_with_is_no_till(desk: Desk) -> None:
    program = shop(desk)
    _, prefix = keys.make(desk, "Till by hand", "shop", "till", "till-9")
    assert tills.standing(desk.books, prefix, program, desk.clock()) is None
