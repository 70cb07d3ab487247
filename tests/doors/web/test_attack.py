"""Signing in under attack, over HTTP: what is answered tells nothing, and nobody is locked out."""

import statistics
import time
from collections.abc import Iterator

import httpx
import pytest

from kantis.desk import staff
from kantis.desk.audit import By
from kantis.desk.submit import Desk
from tests.doors.web.test_joining import CLUB, Site, opened

SECRET = "correct horse battery"
LOGINS = 24


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    def prepare(desk: Desk) -> None:
        for n in range(LOGINS):
            _, token = staff.invite(desk, f"clerk-{n}", "Clerk", "cashier", "club", By("test"))
            staff.accept(desk, token, SECRET)

    with opened(tmp_path_factory.mktemp("attack"), CLUB, prepare) as site:
        yield site


def tried(client: httpx.Client, login: str, password: str, via: str) -> httpx.Response:
    """A try that comes through the proxy of this machine from an address."""
    said = {"login": login, "password": password}
    return client.post("/sign-in", data=said, headers={"x-forwarded-for": via})


def without_names(answer: httpx.Response, *names: str) -> tuple[int, str]:
    text = answer.text
    for each in names:
        text = text.replace(each, "NAME")
    return answer.status_code, text


def test_known_and_unknown_are_answered_alike(shop: Site) -> None:
    with shop.browser() as client:
        pairs = {
            "staff": [tried(client, n, "wrong", "192.0.2.1") for n in ("clerk-0", "nobody-0")],
            "member": [
                client.post("/me/sign-in", data={"email": each})
                for each in ("old@example.org", "new@example.org")
            ],
        }
    names = ("clerk-0", "nobody-0", "old@example.org", "new@example.org")
    for known, unknown in pairs.values():
        assert without_names(known, *names) == without_names(unknown, *names)
        assert known.headers.get("set-cookie") == unknown.headers.get("set-cookie")


def test_known_and_unknown_take_as_long(shop: Site) -> None:
    """The medians of some tries each, taken in turns; a password that is not looked at where
    nobody has the login would take a tenth of the time."""
    took: dict[str, list[float]] = {"clerk": [], "nobody": []}
    with shop.browser() as client:
        for n in range(10):
            for kind, times in took.items():
                began = time.perf_counter()
                tried(client, f"{kind}-{n}", "wrong", f"198.51.100.{n}")
                times.append(time.perf_counter() - began)
    known, unknown = (statistics.median(each) for each in took.values())
    assert 0.5 < unknown / known < 2, took


def test_a_place_is_closed_whatever_it_says_of_itself(shop: Site) -> None:
    """The address that the proxy has seen counts, and not what the caller wrote before it."""
    with shop.browser() as client:
        codes = [
            tried(client, f"clerk-{n}", "wrong", f"10.9.8.{n}, 203.0.113.9").status_code
            for n in range(staff.FROM_ONE_MAX)
        ]
        assert set(codes) == {403}
        answer = tried(client, "clerk-23", SECRET, "10.9.8.7, 203.0.113.9")
        assert answer.status_code == 429
        assert tried(client, "clerk-23", SECRET, "203.0.113.10").status_code == 303, "another one"


def test_who_is_attacked_signs_in_on_their_own_device(shop: Site) -> None:
    with shop.browser() as own, shop.browser() as crook:
        assert tried(own, "clerk-22", SECRET, "192.0.2.5").status_code == 303
        assert own.cookies["device"]
        own.post("/sign-out")
        codes = [
            tried(crook, "clerk-22", "wrong", f"203.0.{n}.1").status_code
            for n in range(staff.TO_ONE_MAX + 1)
        ]
        assert codes == [403] * staff.TO_ONE_MAX + [429]
        assert tried(crook, "clerk-22", SECRET, "203.0.99.1").status_code == 429, "the twin"
        assert tried(own, "clerk-22", SECRET, "192.0.2.5").status_code == 303
