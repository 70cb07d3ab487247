"""No webhook reaches into the house: not by address, by name, by redirect, or by a second look."""

import asyncio
import socket
from typing import Any

import httpx
import pytest

from kantis.doors.outbound import addresses
from kantis.doors.outbound.addresses import literal, public
from kantis.doors.outbound.calls import Answer, Caller
from tests.support.receiver import Receiver, receiving

INSIDE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.1",
    "172.31.255.254", "192.168.1.1", "169.254.169.254", "169.254.0.1", "100.64.0.1", "192.0.0.1",
    "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1",
    "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:93.184.215.14", "::127.0.0.1",
    "64:ff9b::a00:1", "64:ff9b::5db8:d70e", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1",
    "2001::1", "2001:db8::1", "100::1", "fe80::1%eth0",
]  # fmt: skip
OUTSIDE = [
    "93.184.215.14",
    "1.1.1.1",
    "8.8.8.8",
    "2606:4700:4700::1111",
    "2a00:1450:4001:82a::200e",
]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_not_called(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_outside_is(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"), ("127.1", "127.0.0.1"), ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"), ("0177.0.0.1", "127.0.0.1"), ("0", "0.0.0.0"),
        ("::1", "::1"), ("example.com", None), ("localhost", None), ("", None),
    ],
)  # fmt: skip
def test_numbers_are_read_as_a_resolver_reads_them(host: str, address: str | None) -> None:
    assert literal(host) == address


def call(url: str, *, lan: bool = False, **options: Any) -> Answer:
    async def run() -> Answer:
        return await Caller(lan=lan, **options).call(url, {"webhook-id": "1"}, b"{}")

    return asyncio.run(run())


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:7f00:1]"]
)
def test_the_receiver_on_this_machine_is_not_reached(host: str) -> None:
    with receiving() as receiver:
        answer = call(f"https://{host}:{receiver.port}/ok")
        assert (answer.status, answer.outcome) == (0, "address")
        assert receiver.came == []


def test_twin_where_the_network_is_allowed_it_is_reached() -> None:
    with receiving() as receiver:
        assert call(receiver.url("/ok", "localhost"), lan=True).status == 200
        assert len(receiver.came) == 1


def test_without_tls_nobody_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "public", lambda address: True)
    with receiving() as receiver:
        assert call(receiver.url("/ok")).outcome == "address"
        assert receiver.came == []


def rebinding(monkeypatch: pytest.MonkeyPatch, first: str, then: str) -> None:
    """A name that answers with one address once, and with another one afterwards."""
    asked = iter([first])

    def answer(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        address = next(asked, then) if name == "evil.example" else name
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(port)))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def other(receiver: Receiver) -> str:
    return f"http://evil.example:{receiver.port}/ok"


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answered first is called, and it is not what answers afterwards."""
    with receiving() as receiver:
        rebinding(monkeypatch, first="127.0.0.2", then="127.0.0.1")
        answer = call(other(receiver), lan=True, timeout_s=2.0)
        assert (answer.outcome, receiver.came) == ("unreachable", [])


def test_twin_a_call_by_its_name_follows_the_second_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as receiver:
        rebinding(monkeypatch, first="127.0.0.2", then="127.0.0.1")
        assert socket.getaddrinfo("evil.example", 80)[0][4][0] == "127.0.0.2"  # it was looked at
        with httpx.Client(trust_env=False) as client:
            client.post(other(receiver), content=b"{}")
        assert len(receiver.came) == 1


def test_one_inside_address_among_several_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, int(port)))
            for each in ("93.184.215.14", "10.0.0.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert call("https://evil.example/").outcome == "address"


def test_a_redirect_is_not_followed() -> None:
    with receiving() as receiver:
        answer = call(receiver.url("/redirect"), lan=True)
        assert (answer.status, answer.outcome) == (307, "redirect")
        assert [path for path, _, _ in receiver.came] == ["/redirect"]


def test_twin_a_caller_that_follows_lands_elsewhere() -> None:
    with receiving() as receiver, httpx.Client(follow_redirects=True, trust_env=False) as client:
        client.post(receiver.url("/redirect"), content=b"{}")
        assert [path for path, _, _ in receiver.came] == ["/redirect", "/ok"]


@pytest.mark.parametrize("path", ["/slow", "/drip"])
def test_a_call_ends_after_its_time_whatever_the_other_side_does(path: str) -> None:
    with receiving() as receiver:
        answer = call(receiver.url(path), lan=True, timeout_s=0.5)
        assert (answer.status, answer.outcome) == (0, "timeout")


def test_of_an_answer_its_beginning_is_kept() -> None:
    with receiving() as receiver:
        answer = call(receiver.url("/fail"), lan=True)
        assert (answer.status, answer.outcome, len(answer.answer)) == (500, "refused", 1_000)


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as receiver, receiving() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url(""))
        monkeypatch.setenv("ALL_PROXY", proxy.url(""))
        assert call(receiver.url("/ok"), lan=True).status == 200
        assert proxy.came == []


def test_nobody_there_is_an_answer_too() -> None:
    with receiving() as receiver:
        url = receiver.url("/ok")
    assert call(url, lan=True).outcome == "unreachable"
    assert call("https://no-such-name.invalid/").outcome == "address"
