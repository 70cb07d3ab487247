"""Head and body of an answer go out in one write, and nothing is held back for ever."""

import asyncio
from typing import Any

from kantis.doors.api.server import Joined

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Wire:
    """What is written to a connection."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written.append(data)

    def close(self) -> None:
        self.closed = True


def sent(*parts: bytes, close: bool = False) -> list[bytes]:
    async def run() -> list[bytes]:
        wire: Any = Wire()
        joined = Joined(wire, asyncio.get_running_loop())
        for part in parts:
            joined.write(part)
        if close:
            joined.close()
        await asyncio.sleep(0)
        return list(wire.written)

    return asyncio.run(run())


def test_an_answer_is_one_write() -> None:
    assert sent(HEAD, b"{}") == [HEAD + b"{}"]
    assert sent(HEAD, b"{}", HEAD, b"[]") == [HEAD + b"{}", HEAD + b"[]"]


def test_a_head_alone_goes_out_when_the_loop_goes_round_or_it_is_closed() -> None:
    assert sent(HEAD) == [HEAD]
    assert sent(HEAD, close=True) == [HEAD]


def test_what_is_no_head_is_not_held_back() -> None:
    assert sent(b"4\r\nabcd\r\n\r\n", b"0\r\n\r\n") == [b"4\r\nabcd\r\n\r\n", b"0\r\n\r\n"]
