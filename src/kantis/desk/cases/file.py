"""Case files: read into steps before anything runs, with all their faults at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from kantis.core.events import Body, Choose, Know
from kantis.core.knobs import Fault, Node, ProgramError, Wrong, suggest
from kantis.desk import text
from kantis.desk.cases.checks import read_then
from kantis.desk.cases.look import Expect
from kantis.desk.cases.steps import ASKS, BROUGHT, VERBS, activity, carry
from kantis.desk.cases.words import Words, at_key
from kantis.engine.program import Version, assemble

NOBODY: Final = "nobody"
_META: Final = ("time", "id", "account", "received", "ask", "then")
_SPECIAL: Final = ("until", "quote", "publish")


class Step(Struct):
    """One step of a case, read. ``verb`` is a verb, an activity, or one of the special ones."""

    line: int
    verb: str
    account: str
    id: str = ""
    time: int = 0
    received: int = 0
    ask: bool = False
    body: Body | None = None
    version: Node | None = None
    then: Expect | None = None


class Case(Struct):
    """A case, read."""

    name: str
    line: int
    steps: list[Step]


def find(paths: Iterable[Path]) -> Iterator[Path]:
    """The files themselves, and of each folder the YAML files inside that have cases."""
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*.y*ml")):
                if b"\ncases:" in b"\n" + text.load(file):
                    yield file
        else:
            yield path


class CaseFile(Struct):
    """A case file, read: the version of the program that it begins with, and its cases."""

    version: Version
    cases: list[Case]


def read_cases(path: Path) -> CaseFile:
    """The cases of a file; ``ProgramError`` with all faults of the file or its program."""
    tree = text.read_file(path)
    version = _program_of(tree, path)
    return CaseFile(version, _read_cases(tree, Words(assemble([version])), path))


def is_case_file(tree: Node) -> bool:
    """Whether a file holds cases rather than a program."""
    return isinstance(tree.value, dict) and "cases" in tree.value


def _program_of(tree: Node, path: Path) -> Version:
    fields = tree.value if isinstance(tree.value, dict) else {}
    if "program" not in fields or "cases" not in fields:
        message = "A case file has 'program' (the name of its program) and 'cases' (a list)."
        raise ProgramError([Fault("missing-key", message, tree.line, tree.column)])
    unknown = [key for key in fields if key not in ("program", "cases")]
    if unknown:
        line, column = tree.keys[unknown[0]]
        message = f"A case file has no {unknown[0]!r}. {suggest(unknown[0], ['program', 'cases'])}"
        raise ProgramError([Fault("unknown-key", message, line, column)])
    return Version(1, 0, _tree_of(fields["program"], path))


def _tree_of(name: Node, path: Path) -> Node:
    """The program itself, or the tree of a file of its name beside the case file or near it."""
    if isinstance(name.value, dict):
        return name
    if not isinstance(name.value, str):
        message = "Here stands the name of a program, or a program."
        raise ProgramError([Fault("text-expected", message, name.line, name.column)])
    folder = path.resolve().parent
    for near in (folder, folder.parent, folder.parent / "programs"):
        file = near / f"{name.value}.yaml"
        if file.is_file() and file != path.resolve():
            try:
                tree = text.read_file(file)
                if is_case_file(tree):
                    continue  # the cases of the program that is looked for
                assemble([Version(1, 0, tree)])
            except ProgramError as error:
                raise ProgramError(_elsewhere(each, file, name) for each in error.faults) from error
            return tree
    message = f"There is no {name.value}.yaml beside this file or in the folder above it."
    raise ProgramError([Fault("unknown-program", message, name.line, name.column)])


def _elsewhere(fault: Fault, file: Path, name: Node) -> Fault:
    """A fault of another file, at the place where that file is named."""
    place = f"{file.name}:{fault.line}:{fault.column}" if fault.line else file.name
    message = f"{place}: {fault.message}"
    return Fault(fault.code, message, name.line, name.column, fault.path)


def _read_cases(tree: Node, words: Words, path: Path) -> list[Case]:
    node = tree.value["cases"]
    if not isinstance(node.value, list):
        message = "'cases' is a list; each case begins with '- case: its name'."
        raise ProgramError([Fault("list-expected", message, node.line, node.column)])
    cases = []
    for each in node.value:
        try:
            cases.append(_read_case(words, each, path))
        except Wrong as wrong:
            words.fault(wrong)
    if words.faults:
        raise ProgramError(words.faults)
    return cases


def _read_case(words: Words, node: Node, path: Path) -> Case:
    fields = words.fields(node, ("case", "given", "when", "then"), "A case")
    if "case" not in fields:
        raise Wrong("missing-key", "A case has a name: '- case: what it shows'.", node)
    found = Case(words.text(fields["case"]), node.line, [])
    when = fields.get("when", Node([]))
    if not isinstance(when.value, list):
        raise Wrong("list-expected", "'when' is a list of steps.", when)
    reader = _StepReader(words, path)
    for each in when.value:
        try:
            reader.read(each)
        except Wrong as wrong:
            words.fault(wrong)
    if "given" in fields:
        reader.given(fields["given"], "one")
    found.steps = reader.before + reader.steps
    if "then" in fields:
        then = read_then(reader.words, fields["then"], reader.account)
        found.steps.append(Step(then.line, "then", then.account, then=then))
    return found


class _StepReader:
    """Reads the steps of one case, one after the other."""

    def __init__(self, words: Words, path: Path) -> None:
        self.words, self.path = words, path
        self.versions = list(words.program.versions)
        self.before: list[Step] = []
        self.steps: list[Step] = []
        self.now = 0
        self.account = "one"

    def given(self, node: Node, account: str, moment: int = 0) -> None:
        """What the account has before anything happens."""
        words = self.words
        known = ("time", "facts", "choices", "accounts", *BROUGHT, *words.program.units)
        fields = words.fields(node, known, "'given'")
        if "time" in fields:
            moment = words.moment(fields["time"])
        moment = moment or self._first(node)
        for name, each in _pairs(fields.get("accounts")):
            self.given(each, name, moment)
        bodies: list[Body] = [
            Know(name, words.text(value)) for name, value in _pairs(fields.get("facts"))
        ]
        own = {*BROUGHT, *words.program.units}
        brought = {key: child for key, child in fields.items() if key in own}
        if brought:
            bodies.append(carry(words, Node(brought, node.line, node.column, node.keys)))
        for name, value in _pairs(fields.get("choices")):
            bodies.append(Choose(name, words.text(value)))
        for number, body in enumerate(bodies, 1):
            name = f"given-{account}-{number}"
            step = Step(node.line, "given", account, name, moment, moment, body=body)
            self.before.append(step)

    def _first(self, node: Node) -> int:
        if not self.steps:
            message = "Without steps, 'given' says its 'time'."
            raise Wrong("time-missing", message, node)
        return min(step.time for step in self.steps if step.time)

    def read(self, node: Node) -> None:
        """Read one step and put it behind the others."""
        words = self.words
        verbs = [*VERBS, *words.activities, *_SPECIAL]
        fields = words.fields(node, [*_META, *verbs], "A step")
        said = [key for key in fields if key not in _META]
        if len(said) > 1:
            message = f"A step says one thing; here stand {said[0]!r} and {said[1]!r}."
            raise Wrong("two-verbs", message, at_key(node, said[1]))
        if not said and "then" not in fields:
            message = f"A step says what happened, for example 'purchase'. There is {verbs}."
            raise Wrong("verb-missing", message, node)
        verb = said[0] if said else "then"
        self.account = words.text(fields.get("account")) or self.account
        step = Step(node.line, verb, self.account, words.text(fields.get("id")))
        step.id = step.id or f"step-{len(self.steps) + 1}"
        if "time" in fields:
            step.time = words.moment(fields["time"])
        self._say(step, verb, fields.get(verb, node))
        if verb != "then":
            step.time = step.time or self.now
        if not step.time and not self.now:
            raise Wrong("time-missing", "The first step says its 'time'.", node)
        if "received" in fields:
            step.received = words.moment(fields["received"])
        step.received = max(step.received, step.time, self.now)
        self.now = step.received
        step.ask = words.yes(fields.get("ask"), step.ask)
        if "then" in fields:
            step.then = read_then(self.words, fields["then"], self.account)
        self.steps.append(step)

    def _say(self, step: Step, verb: str, node: Node) -> None:
        words = self.words
        if verb == "until":
            step.time = words.moment(node)
        elif verb == "publish":
            step.version = _tree_of(node, self.path)
            number = self.versions[-1].number + 1
            self.versions.append(Version(number, step.time or self.now, step.version))
            self.words = Words(assemble(self.versions), words.faults)
        elif verb == "quote":
            inner = words.fields(node, [*VERBS, *words.activities], "A quote")
            if len(inner) != 1:
                raise Wrong("verb-missing", "A quote says one thing: {purchase: 14.00}.", node)
            ((verb, child),) = inner.items()
            self._say(step, verb, child)
        elif verb in VERBS:
            step.body = VERBS[verb](words, node)
            step.ask = verb in ASKS
        elif verb != "then":
            step.body = activity(words, verb, node)


def _pairs(node: Node | None) -> list[tuple[str, Node]]:
    if node is None:
        return []
    if not isinstance(node.value, dict):
        raise Wrong("mapping-expected", "Here stands a mapping of names to values.", node)
    return list(node.value.items())
