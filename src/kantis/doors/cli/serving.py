"""The command ``serve``: the service over HTTP."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from typing import Annotated, Any, Final

import msgspec
import structlog
import typer
import uvicorn
from rich.text import Text

from kantis.desk import firstlink
from kantis.desk.lease import holder
from kantis.desk.submit import Desk
from kantis.desk.whole import shown
from kantis.desk.writer import RemoteDesk
from kantis.doors.api.server import Protocol
from kantis.doors.api.setup import Setup
from kantis.doors.cli.letters import Address, MailFrom, Smtp, mail_of
from kantis.doors.cli.opening import opened
from kantis.doors.cli.output import Json, Store, Trouble, Vault, json_out, out
from kantis.doors.cli.several import end_with_parent, serve_several
from kantis.doors.front import Front

#: So long a stop waits for answers that are under way.
_PATIENCE_S: Final = 30
_QUEUED_MAX: Final = 2_048
#: A look-up needs the interpreter again after each of its statements, and would wait for as
#: long behind a batch that is decided; Python's own interval is 5 ms.
_SWITCH_S: Final = 0.0005
#: How the server under the application is set up.
SERVER: Final[dict[str, Any]] = {
    "log_config": None, "access_log": False, "lifespan": "on", "server_header": False,
    "timeout_graceful_shutdown": _PATIENCE_S, "ws": "none", "loop": "uvloop", "http": "httptools",
}  # fmt: skip


#: Where it listens.
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="0: any that is free.")]
#: Where webhooks may be called.
Lan = Annotated[
    bool,
    typer.Option(
        "--lan-webhooks",
        envvar="KANTIS_LAN_WEBHOOKS",
        help="Call webhooks at private addresses and without TLS too.",
    ),
]


def serve(
    store: Store = "kantis.db",
    host: Host = "127.0.0.1",
    port: Port = 8040,
    vault: Vault = "",
    checkout_origin: Annotated[
        list[str] | None,
        typer.Option(
            envvar="KANTIS_CHECKOUT_ORIGIN",
            help="A shop's page that may ask from a browser, as https://shop.example.",
        ),
    ] = None,
    jobs: Annotated[
        bool, typer.Option(help="Do jobs and deliver webhooks too, or leave it to kantis worker.")
    ] = True,
    lan: Lan = False,
    smtp: Smtp = "",
    mail_from: MailFrom = "",
    address: Address = "",
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that serve; more than one on PostgreSQL.")
    ] = 1,
    descriptor: Annotated[int, typer.Option("--listening", hidden=True)] = -1,
    json: Json = False,
) -> None:
    """Serve tills and shops over HTTP. Begins the books where there are none."""
    log_as_json()
    mail = mail_of(smtp, mail_from, address)
    with opened(store, new=True) as desk:
        desk = own(desk, store)
        if workers > 1 and desk.books.alone:
            message = "A file has one writer. Serve with one worker, or move to PostgreSQL."
            raise Trouble("one-writer", message, shown(store))
        listening = socket.socket(fileno=descriptor) if descriptor >= 0 else listen(host, port)
        with listening:
            if descriptor < 0:
                _greet(desk, listening, store, json)
            origins = checkout_origin or []
            if workers == 1:
                setup = Setup(
                    vault=vault, origins=frozenset(origins), jobs=jobs, lan=lan, mail=mail,
                    address=address,
                )  # fmt: skip
                run(Front(desk, setup), listening, started=descriptor >= 0)
                return
            desk.close()
            options = ["--jobs" if jobs else "--no-jobs", *(["--lan-webhooks"] if lan else [])]
            options += [word for each in origins for word in ("--checkout-origin", each)]
            options += ["--vault", vault] if vault else []
            told = {"KANTIS_SMTP_URL": smtp, "KANTIS_MAIL_FROM": mail_from}
            told |= {"KANTIS_STORE": store, "KANTIS_ADDRESS": address}
            serve_several(workers, listening, told, options)


def own(desk: Desk | RemoteDesk, store: str) -> Desk:
    """The desk of books that nobody else writes to; ``Trouble`` when another process does."""
    if isinstance(desk, RemoteDesk):
        message = (
            f"Process {holder(desk.path)} writes to these books, and one service runs per "
            "file. End that one first; for several services at once the books belong into "
            "PostgreSQL: kantis move --to postgresql://…"
        )
        raise Trouble("store-in-use", message, shown(store))
    return desk


def run(front: Front, listening: socket.socket, *, started: bool = False) -> None:
    """Serve in this process; one that was started by another ends with it."""
    sys.setswitchinterval(_SWITCH_S)
    config = uvicorn.Config(front, **{**SERVER, "http": Protocol})
    for each in (signal.SIGTERM, signal.SIGINT):  # the server stops, and so do we
        signal.signal(each, lambda *_: None)
    if started:
        end_with_parent()
    uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections; ``Trouble`` when the address cannot be used."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # named as TCP, or the event loop leaves small answers to be held back by 40 ms
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_QUEUED_MAX)
    except OSError as error:
        message = f"{error.strerror or error}. Name another with --host and --port."
        raise Trouble("address-unusable", message, f"{host}:{port}") from error
    return listening


def address_of(listening: socket.socket) -> str:
    """Where a browser finds what listens."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _greet(desk: Desk, listening: socket.socket, store: str, json: bool) -> None:
    """Say where it is, and what to do first."""
    address, programs = address_of(listening), list(desk.books.programs())
    keys = any(each.revoked is None for each in desk.books.all_keys())
    token = "" if keys else firstlink.make(desk)
    first = f"{address}/first/{token}" if token else None
    if json:
        json_out({"address": address, "programs": programs, "keys": keys, "first": first})
        sys.stdout.flush()
        return
    out.print(Text(f"Kantis serves on {address}", style="bold"))
    where = "" if store == "kantis.db" else f" --store {shown(store)}"
    if first:
        out.print("Nobody may do anything here yet. Open this link in a browser to become the")
        out.print("owner; it opens once, until tomorrow:")
        out.print(Text(first, style="bold"))
        out.print(f'Or in another terminal: kantis key new "Me" --scope owner --source me{where}')
    if not programs:
        said = "No program yet. Write one there from a template, or in another terminal:"
        out.print(f"{said} kantis publish FILE{where}")
    sys.stdout.flush()


def log_as_json() -> None:
    """Everything that is logged is a line of JSON on the standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_encoded),
        ],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    logger = logging.getLogger("uvicorn")
    logger.handlers, logger.propagate = [_Forward()], False
    logger.setLevel(logging.WARNING)


class _Forward(logging.Handler):
    """What the server under us logs, as a line like the others."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname.lower()
        log: Any = structlog.get_logger()
        known = level if level in ("warning", "error", "critical") else "info"
        getattr(log, known)("server", said=record.getMessage(), exc_info=record.exc_info)


def _encoded(event: Any, **_: Any) -> bytes:
    return msgspec.json.encode(event, enc_hook=str)
