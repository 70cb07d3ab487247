"""Look: what a check of a case looks at, and what it says about its place in the file."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from kantis.core.account import Account
from kantis.core.decision import Decision
from kantis.core.knobs import Node
from kantis.engine.plan import Plan
from kantis.engine.program import Program


class View(Struct):
    """What a check looks at: an account now, and the decisions of a step.

    ``told`` are all decisions of the account so far, ``everyone`` those of all accounts.
    """

    program: Program
    account: Account
    moment: int
    decisions: list[Decision]
    plan: Plan
    told: list[Decision] = []
    everyone: list[Decision] = []


class Check(Struct):
    """One expectation. ``balance`` says which entries of the account matter to it."""

    line: int
    column: int
    what: str
    expected: str
    get: Callable[[View], str]
    balance: str = ""


class Expect(Struct):
    """A ``then``: whose account, which step, after which instant, and the checks."""

    line: int
    account: str
    of: str
    moment: int
    checks: list[Check]
    refusal: bool


def check(
    node: Node, what: str, expected: str, get: Callable[[View], str], balance: str = ""
) -> Check:
    """The check that a node of the file makes."""
    return Check(node.line, node.column, what, expected, get, balance)
