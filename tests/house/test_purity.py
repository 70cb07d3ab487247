"""core, features and engine compute with whole numbers and nothing from outside.

No float, no true division, no clock, no dice, no environment, no files; and no import beyond
msgspec and the part of the standard library that can do none of these.
"""

import ast
import sys
from collections.abc import Iterator

import pytest

from kantis.core.basket import GIVEN
from kantis.desk import text
from kantis.engine.program import Version, assemble
from tests.house.sources import PURE_ROOMS, REPO, modules, name, tree

# What a decision may not ask for, however it is spelt.
FORBIDDEN_CALLS = {
    "float": "a float",
    "open": "a file",
    "print": "output",
    "input": "input",
    "breakpoint": "a debugger",
    "eval": "code from a string",
    "exec": "code from a string",
}
FORBIDDEN_ATTRIBUTES = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("time", "time"), ("time", "time_ns"), ("time", "monotonic"), ("time", "perf_counter"),
    ("os", "environ"), ("os", "getenv"), ("os", "urandom"),
    ("uuid", "uuid1"), ("uuid", "uuid4"), ("uuid", "uuid7"),
}  # fmt: skip
FORBIDDEN_NAMES = {"uuid1", "uuid4", "uuid7", "environ", "getenv", "urandom", "utcnow"}
# Of the standard library: whatever reads clock, dice, machine, files or network.
FORBIDDEN_MODULES = {
    "asyncio", "concurrent", "ctypes", "fcntl", "glob", "http", "io", "logging", "mmap",
    "multiprocessing", "os", "pathlib", "pickle", "platform", "queue", "random", "secrets",
    "select", "selectors", "shelve", "shutil", "signal", "smtplib", "socket", "sqlite3", "ssl",
    "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
ALLOWED_PACKAGES = {"kantis", "msgspec"}


def impurities(module: ast.Module) -> list[str]:
    """A sentence for each thing in this module that a pure room may not contain."""
    return [f"line {line}: {what}" for line, what in sorted(_found(module))]


def _found(module: ast.Module) -> Iterator[tuple[int, str]]:
    type_tests = _arguments_of_isinstance(module)
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=float() | complex() as value):
                yield node.lineno, f"the number {value!r}; use whole numbers in minor units"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno, "true division; multiply first, divide once with //, and round"
            case ast.Name(id="float") if node not in type_tests:
                yield node.lineno, "float; use whole numbers in minor units"
            case ast.Name(id=called) if called in FORBIDDEN_NAMES:
                yield node.lineno, f"{called}; it is handed in"
            case ast.Call(func=ast.Name(id=called)) if called in FORBIDDEN_CALLS:
                if called != "float":
                    yield node.lineno, f"{called}(): {FORBIDDEN_CALLS[called]}"
            case ast.Attribute(attr=attribute, value=owner) if (
                _last(owner),
                attribute,
            ) in FORBIDDEN_ATTRIBUTES:
                yield node.lineno, f"{_last(owner)}.{attribute}; it is handed in"
            case ast.Import(names=names):
                for alias in names:
                    yield from _import(node.lineno, alias.name)
            case ast.ImportFrom(module=source, level=0, names=names) if source:
                yield from _import(node.lineno, source)
                for alias in names:
                    if alias.name in FORBIDDEN_NAMES:
                        yield node.lineno, f"{alias.name}; it is handed in"


def _import(line: int, module: str) -> Iterator[tuple[int, str]]:
    top = module.partition(".")[0]
    if top in FORBIDDEN_MODULES:
        yield line, f"imports {module}; clock, dice, machine and files stay outside"
    elif top not in sys.stdlib_module_names and top not in ALLOWED_PACKAGES:
        yield line, f"imports {module}; only the standard library and msgspec are allowed"


def _arguments_of_isinstance(module: ast.Module) -> set[ast.AST]:
    """Asking whether something is a float, in order to refuse it, is no use of floats."""
    return {
        inner
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"isinstance", "issubclass"}
        for argument in node.args
        for inner in ast.walk(argument)
    }


def _last(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
    return ""


# The one place that compiles text: it writes the function that a plan becomes.
COMPILER = "src/kantis/core/code.py"


def test_the_pure_rooms_are_pure() -> None:
    faults = [f"{name(p)} {f}" for p in modules(*PURE_ROOMS) for f in impurities(tree(p))]
    faults = [f for f in faults if not (f.startswith(COMPILER) and "exec()" in f)]
    assert not faults, "\n".join(faults)


def test_what_programs_compile_to_is_pure() -> None:
    for path in sorted((REPO / "programs").glob("*.yaml")):
        program = assemble([Version.of(1, 0, text.read(path.read_text()))])
        for event in {*program.newest.earning.by_event, "purchase"}:
            for given in GIVEN if event == "purchase" else ("deed",):
                source = program.newest.write(event, given).source
                assert "turn" in source
                assert impurities(ast.parse(source)) == [], f"{path.name}: {event}, {given}"


@pytest.mark.parametrize(
    "snippet",
    [
        "rate = 0.5",
        "rate = -1e3",
        "rate = 1j",
        "half = total / 2",
        "total /= 2",
        "x = float('1')",
        "def f(x: float) -> int: ...",
        "numbers = list(map(float, texts))",
        "from datetime import datetime\nt = datetime.now(UTC)",
        "import datetime\nt = datetime.datetime.utcnow()",
        "t = datetime.today()",
        "import datetime\nt = datetime.date.today()",
        "import time",
        "from time import time",
        "t = time.time()",
        "import random",
        "from random import choice",
        "import secrets",
        "import uuid\ni = uuid.uuid4()",
        "from uuid import uuid4",
        "import os\nhome = os.environ['HOME']",
        "home = os.getenv('HOME')",
        "text = open('program.yaml').read()",
        "from pathlib import Path",
        "import urllib.request",
        "print('hello')",
        "import ruamel.yaml",
        "from pydantic import BaseModel",
    ],
)
def test_an_impurity_is_caught(snippet: str) -> None:
    assert impurities(ast.parse(snippet))


def test_honest_code_is_left_alone() -> None:
    honest = """
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo
import msgspec
from kantis.core.amounts import share
def points(amount: int, when: datetime) -> int:
    "Half a point per unit; 0.5 in words."
    if isinstance(amount, float):
        raise TypeError("whole numbers only")
    time = when.time()
    return amount * 5 // 10
"""
    assert impurities(ast.parse(honest)) == []
