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

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kantis.core.calendar import Remembered


class Code:
    """A function in the making. Values that are no literals are bound by name."""

    def __init__(self, name: str, *parameters: str, trace: bool = False) -> None:
        self.name = name
        self.trace = trace
        self._lines = [f"def {name}({', '.join(parameters)}):"]
        self._depth = 1
        self._names: dict[str, Any] = {}
        self._known: dict[tuple[str, int], str] = {}
        self._once: dict[str, str] = {}
        self._of_day: dict[str, Callable[[int], Any]] = {}
        self._rarely: dict[Callable[[int], Any], str] = {}
        self._taken: dict[str, int] = {}
        self._settled = True
        self._rare = False
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

    @contextmanager
    def rare(self) -> Iterator[list[str]]:
        """What is written inside is seldom run: it works out by itself what it needs, and its
        variables may be those of another such place. Lines that are put into the list stand
        before all of it."""
        count, rare, start = self._count, self._rare, len(self._lines)
        depth = "    " * self._depth
        first: list[str] = []
        self._rare = True
        yield first
        self._lines[start:start] = [depth + line for line in first]
        self._count, self._rare = count, rare

    def constant(self, value: Any, hint: str) -> str:
        """The name under which a value is known in the function."""
        known = self._known.get((hint, id(value)))
        if known is None:
            known = self._free(hint)
            self._names[known] = value
            self._known[hint, id(value)] = known
        return known

    def fresh(self, hint: str) -> str:
        """The name of a new variable."""
        self._count += 1
        return f"{hint}{self._count}"

    def once(self, expression: str, hint: str) -> str:
        """The variable of a value that is worked out at the head of the function.

        Once the function may have moved what such values depend on, the expression itself.
        """
        if not self._settled or (self._rare and expression not in self._once):
            return f"({expression})"
        return self._once.setdefault(expression, f"{hint}{len(self._once) or ''}")

    def unsettle(self) -> None:
        """From here on the account is not what it was at the head of the function."""
        self._settled = False

    def of_day(self, part: Callable[[int], Any], hint: str) -> str:
        """The variable of what the calendar says of the event's day, remembered for each day."""
        for name, known in self._of_day.items():
            if known == part:
                return name
        if self._rare:
            if part not in self._rarely:
                self._rarely[part] = self.constant(Remembered(part), hint)
            return f"{self._rarely[part]}[day]"
        name = self._free(hint)
        self._of_day[name] = part
        return name

    def _free(self, hint: str) -> str:
        """The hint, or the hint with a number where it is a name already."""
        name, number = hint, self._taken.get(hint, 1)
        while name in self._names or name in self._of_day:
            number += 1
            name = f"{hint}_{number}"
        self._taken[hint] = number
        return name

    def mentions(self, name: str) -> bool:
        """Whether a name occurs in what is written so far."""
        word = re.compile(rf"\b{name}\b")
        return any(word.search(line) for line in [*self._lines, *self._once])

    def head(self) -> Code:
        """A piece with the same names, to be written last and put first."""
        piece = Code("head", trace=self.trace)
        piece._names, piece._known = self._names, self._known
        piece._once, piece._of_day, piece._taken = self._once, self._of_day, self._taken
        return piece

    def begin(self, head: Code) -> None:
        """Put a head before the rest, and before it what both of them need."""
        self._lines[1:1] = head._lines[1:]
        first = []
        if self.mentions("account"):
            first.append("account = turn.account")
        if self.mentions("day") or self._of_day:
            first.append("day = turn.day")
        if self._of_day:
            parts = list(self._of_day.values())
            known = Remembered(lambda day: tuple(part(day) for part in parts))
            days = self.constant(known, "days")
            first.append(f"[{', '.join(self._of_day)}] = {days}[day]")
        first += [f"{name} = {expression}" for expression, name in self._once.items()]
        self._lines[1:1] = ["    " + line for line in first]

    @property
    def source(self) -> str:
        """The text of the function."""
        lines = self._lines if len(self._lines) > 1 else [*self._lines, "    pass"]
        return "\n".join(lines) + "\n"

    def function(self) -> Callable[..., Any]:
        """The function, compiled."""
        scope = dict(self._names)
        exec(compile(self.source, f"<{self.name}>", "exec"), scope)
        made: Callable[..., Any] = scope[self.name]
        return made
