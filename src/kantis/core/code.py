"""Code: writes the one function that a plan is compiled into.

A program's rules are compiled once per version into plain Python, so that deciding costs
what a hand-written function costs. Features write their own part; what they write is the
only evaluator, for the till, an import, a quote and a trace alike.

>>> code = Code("double", "amount")
>>> step = code.constant(2, "step")
>>> code.add(f"return amount * {step}")
>>> code.function()(21)
42
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Code:
    """A function in the making. Values that are no literals are bound by name."""

    def __init__(self, name: str, *parameters: str, trace: bool = False) -> None:
        self.name = name
        self.trace = trace
        self._lines = [f"def {name}({', '.join(parameters)}):"]
        self._depth = 1
        self._names: dict[str, Any] = {}
        self._known: dict[tuple[str, int], str] = {}
        self._count = 0

    def add(self, *lines: str) -> None:
        """Write lines at the present depth."""
        self._lines += ["    " * self._depth + line for line in lines]

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is written inside stands one level deeper, under the head."""
        self.add(head)
        self._depth += 1
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.add("pass")
        self._depth -= 1

    def constant(self, value: Any, hint: str) -> str:
        """The name under which a value is known in the function."""
        known = self._known.get((hint, id(value)))
        if known is None:
            known = f"{hint}_{len(self._names)}"
            self._names[known] = value
            self._known[hint, id(value)] = known
        return known

    def fresh(self, hint: str) -> str:
        """The name of a new variable."""
        self._count += 1
        return f"{hint}{self._count}"

    def begin(self, *lines: str) -> None:
        """Put lines at the head of the function: what the rest turned out to need."""
        self._lines[1:1] = ["    " + line for line in lines]

    @property
    def body(self) -> list[str]:
        """The lines below the first, from depth 0."""
        return [line[4:] for line in self._lines[1:]]

    @property
    def source(self) -> str:
        """The text of the function."""
        return "\n".join(self._lines) + "\n"

    def function(self) -> Callable[..., Any]:
        """The function, compiled."""
        scope = dict(self._names)
        exec(compile(self.source, f"<{self.name}>", "exec"), scope)
        made: Callable[..., Any] = scope[self.name]
        return made
