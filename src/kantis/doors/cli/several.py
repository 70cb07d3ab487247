"""Several processes that serve on one address, as ``kantis serve --workers`` starts them.

Guarantee: they take connections from one socket, so none is refused while one of them is
started again; whoever dies is replaced, and when this process ends, however it ends, all do.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Final

#: So long those that are stopped have for the answers that are under way.
_PATIENCE_S: Final = 40
_LOOK_S: Final = 0.1
#: One that dies at once is not started again before this has passed.
_AGAIN_S: Final = 1.0


def serve_several(
    count: int, listening: socket.socket, told: dict[str, str], options: Sequence[str]
) -> None:
    """Keep so many processes serving on a socket until this one is asked to stop."""
    over = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: over.set())
    crew = [_begin(listening, told, options) for _ in range(count)]
    while not over.wait(_LOOK_S):
        for place, each in enumerate(crew):
            if each.poll() is not None:
                print(f'{{"level": "error", "event": "worker ended", "status": {each.returncode}}}',
                      file=sys.stderr, flush=True)  # fmt: skip
                if not over.wait(_AGAIN_S):
                    crew[place] = _begin(listening, told, options)
    _end(crew)


def _begin(
    listening: socket.socket, told: dict[str, str], options: Sequence[str]
) -> subprocess.Popen[bytes]:
    """One of them. What is secret goes through the environment, which others cannot read."""
    descriptor = listening.fileno()
    return subprocess.Popen(
        [sys.executable, "-m", "kantis", "serve", "--listening", str(descriptor), *options],
        pass_fds=[descriptor], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        env={**os.environ, **told},
    )  # fmt: skip


def _end(crew: Sequence[subprocess.Popen[bytes]]) -> None:
    for each in crew:
        each.terminate()
    end = time.monotonic() + _PATIENCE_S
    for each in crew:
        try:
            each.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            each.kill()
            each.wait()


def end_with_parent() -> None:
    """Stop this process when the one that started it has ended: then its pipe is closed."""

    def wait() -> None:
        while sys.stdin.buffer.read(1):
            continue
        while True:  # the first ones may come before the server listens to signals
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(_LOOK_S)

    threading.Thread(target=wait, name="kantis-parent", daemon=True).start()
