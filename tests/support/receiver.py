"""A receiver of webhooks: a real server that verifies what comes, and behaves as it is told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


class Receiver:
    """Answers by path: ``/ok``, ``/fail``, ``/gone``, ``/redirect``, ``/slow``, ``/drip``.

    ``/switch`` answers ``status``. What came is kept as (path, headers, body).
    """

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        self.over = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.came.append((self.path, headers, body))
                receiver.answer(self)

            do_GET = do_POST  # noqa: N815 (that is how the server asks for it)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path
        if path == "/slow":
            self.over.wait(30)
        statuses = {"/fail": 500, "/gone": 410, "/redirect": 307, "/switch": self.status}
        handler.send_response(statuses.get(path, 200))
        if path == "/redirect":
            handler.send_header("location", f"http://127.0.0.1:{self.port}/ok")
        said = b"x" * 5_000 if path == "/fail" else b"ok"
        handler.send_header("content-length", str(1_000 if path == "/drip" else len(said)))
        handler.end_headers()
        if path == "/drip":
            for _ in range(100):
                handler.wfile.write(b" ")
                handler.wfile.flush()
                if self.over.wait(0.1):
                    return
        handler.wfile.write(said)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def at(self, path: str) -> list[dict[str, Any]]:
        """The events that came to a path, in the order of their coming."""
        return [json.loads(body) for each, _, body in list(self.came) if each == path]

    def verified(self, path: str, secret: str) -> list[dict[str, Any]]:
        """The same, each with its signature verified as receivers do it."""
        hook = Webhook(secret)
        return [hook.verify(body, headers) for each, headers, body in self.came if each == path]

    def wait(self, path: str, count: int, seconds: float = 20) -> list[dict[str, Any]]:
        """Wait until so many have come."""
        end = time.monotonic() + seconds
        while len(self.at(path)) < count and time.monotonic() < end:
            time.sleep(0.01)
        assert len(self.at(path)) >= count, self.at(path)
        return self.at(path)

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver for the time of a test."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


def is_signed(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """Whether a receiver with this secret takes the message."""
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True
