"""Commands on program files and case files: programs, check, format, schema, try."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from kantis.core.knobs import Fault, ProgramError, plain
from kantis.desk import cases, library, text
from kantis.desk.compare import Comparison
from kantis.desk.format import Order, canonical, order_of
from kantis.desk.schema import schema as schema_of
from kantis.doors.cli import comparing
from kantis.doors.cli.output import (
    NOT_FINE,
    Json,
    Trouble,
    count,
    fault_out,
    faults_json,
    json_out,
    leave,
    out,
    replace_file,
)
from kantis.engine.program import Program, Version, assemble
from kantis.engine.sections import PROGRAM, SECTIONS
from kantis.engine.splitting import pays_to_split

Files = Annotated[list[Path], typer.Argument(help="Files, or folders with files inside.")]


def programs(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of program files. Default: Kantis's own.")
    ] = None,
    json: Json = False,
) -> None:
    """List the program files of a folder: what each is called, and what it models."""
    inside = folder or library.folder()
    rows = [_listed(path) for path in sorted(inside.glob("*.y*ml")) if path.is_file()]
    if not rows:
        raise Trouble("no-file", "There is no program file in this folder.", str(inside))
    if json:
        json_out(rows)
        return
    width = max(len(row["program"]) for row in rows)
    for row in rows:
        first = re.split(r"\.(?= [A-Z]|$)", row["about"], maxsplit=1)[0]
        told = f"{row['title']}: {first}" if first else row["title"]
        line = Text(f"{row['program']:{width}}  {told}")
        if out.is_terminal:
            out.print(line, no_wrap=True, overflow="ellipsis")
        else:  # whoever reads it is no window that has a width
            out.print(line, soft_wrap=True)


def _listed(path: Path) -> dict[str, str]:
    """What a program file says about itself; what cannot be read says so."""
    row = {"program": path.stem, "title": "", "about": "", "file": str(path)}
    try:
        said = plain(text.read(_load(path), path.name))
    except ProgramError as error:
        return row | {"title": f"cannot be read: {error.faults[0].message}"}
    if isinstance(said, dict):
        title = said.get("title", "")
        if isinstance(title, dict):
            title = title.get("en") or next(iter(title.values()), "")
        row |= {"title": str(title or path.stem), "about": str(said.get("about", ""))}
    return row


def check(
    files: Files,
    store: Annotated[
        str, typer.Option(help="Also tell what would change for the accounts in these books.")
    ] = "",
    since: Annotated[str, typer.Option(help="From when it would hold, local time.")] = "",
    until: Annotated[
        str, typer.Option(help="How far ahead to look, local time. Default: a year.")
    ] = "",
    json: Json = False,
) -> None:
    """Check program files and case files: can they be read, and does everything fit together?

    With --store each program is compared with the version that is live there.
    """
    faults: dict[str, list[Fault]] = {}
    compared: list[tuple[Comparison, Program]] = []
    for path in _yaml_files(files):
        found = faults[str(path)] = _faults_of(path)
        if store and not found:
            try:
                compared += comparing.comparisons(path, store, since, until, quiet=json)
            except ProgramError as error:
                found += error.faults
    total = sum(map(len, faults.values()))
    notes = {name: _notes_of(Path(name)) for name, found in faults.items() if not found}
    if json:
        rows = [row for name, found in faults.items() for row in faults_json(name, found)]
        splitting = {name: each for name, each in notes.items() if each}
        said: dict[str, object] = {"files": len(faults), "faults": rows, "splitting": splitting}
        if store:
            said["compared"] = [comparing.as_json(each) for each, _ in compared]
        json_out(said)
    else:
        for name, found in faults.items():
            for fault in found:
                fault_out(name, _text_of(Path(name)), fault)
        told = count(total, "fault") if total else "everything is fine"
        out.print(f"{count(len(faults), 'file')}, {told}.")
        if len(faults) == 1:
            _tell_notes(*notes.values())
        for each, program in compared:
            comparing.tell(each, program)
    if total or any(each.failed for each, _ in compared):
        leave(NOT_FINE)


def _yaml_files(paths: list[Path]) -> list[Path]:
    """The files, and the YAML files inside of folders."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*.y*ml") if each.is_file())
            if not inside:
                raise Trouble(
                    "no-file",
                    "There is no YAML file in this folder. Name a file, or another folder.",
                    str(path),
                )
            found += inside
        elif not path.exists():
            raise Trouble("no-file", "There is no such file. Check its name.", str(path))
        else:
            found.append(path)
    return found


def _load(path: Path) -> bytes:
    try:
        return text.load(path)
    except OSError as error:
        raise Trouble("no-file", f"It cannot be opened: {error.strerror}.", str(path)) from error


def _text_of(path: Path) -> str | None:
    try:
        return text.decode(_load(path))
    except ProgramError:
        return None


def _faults_of(path: Path) -> list[Fault]:
    try:
        tree = text.read(_load(path), path.name)
        if cases.is_case_file(tree):
            cases.read_cases(path)
        else:
            assemble([Version(1, 0, tree)])
    except ProgramError as error:
        return error.faults
    return []


def _notes_of(path: Path) -> dict[str, str]:
    """Why splitting a purchase can earn more under a program, by rule."""
    tree = text.read(_load(path), path.name)
    return {} if cases.is_case_file(tree) else pays_to_split(assemble([Version(1, 0, tree)]).newest)


def _tell_notes(*notes: dict[str, str]) -> None:
    for found in notes:
        if found:
            out.print("Splitting a purchase can earn more here, which is fine if you mean it so:")
        for name, reason in found.items():
            out.print(f"  {name}: {reason}")


def format_files(
    files: Files,
    check: Annotated[bool, typer.Option("--check", help="Change nothing, only tell.")] = False,
    json: Json = False,
) -> None:
    """Put program files and case files into their canonical form."""
    changed, faulty = [], []
    for path in _yaml_files(files):
        try:
            before = text.decode(_load(path), path.name)
            tree = text.read(before, path.name)
            after = canonical(before, _case_order if cases.is_case_file(tree) else _program_order)
        except ProgramError as error:
            faulty += faults_json(str(path), error.faults)
            if not json:
                for fault in error.faults:
                    fault_out(str(path), _text_of(path), fault)
            continue
        if after == before:
            continue
        assert plain(text.read(after)) == plain(tree), "the canonical form says the same"
        changed.append(str(path))
        if not check:
            _replace(path, after)
        if not json:
            out.print(Text(f"{path} {'is not in its canonical form' if check else 'changed'}"))
    if json:
        json_out({"changed": changed, "faults": faulty})
    elif not changed and not faulty:
        out.print("Nothing to change.")
    if faulty or (check and changed):
        leave(NOT_FINE)


def _replace(path: Path, after: str) -> None:
    try:
        replace_file(path, after)
    except OSError as error:
        raise Trouble("not-written", f"It was not changed: {error.strerror}.", str(path)) from error


_program_order: Order = order_of(PROGRAM, SECTIONS)


def _case_order(path: tuple[str, ...]) -> list[str]:
    if path == ("cases",):
        return ["case", "given", "when", "then"]
    if path == ("cases", "when"):
        return ["time", "received", "account", "id", "ask"]
    return [] if path else ["program", "cases"]


def schema(json: Json = True) -> None:
    """Print the JSON Schema of program files, for completion and hints in editors."""
    json_out(schema_of(PROGRAM, SECTIONS))


def try_cases(files: Files, json: Json = False) -> None:
    """Try case files: run what happens in them, and compare what comes out."""
    missing = next((path for path in files if not path.exists()), None)
    if missing is not None:
        raise Trouble("no-file", "There is no such file. Check its name.", str(missing))
    found = list(cases.find(files))
    if not found:
        raise Trouble(
            "no-cases",
            "There is no case file here. Name one, or begin one: see docs/case-files.md.",
            str(files[0]),
        )
    results = [cases.run_file(path) for path in found]
    total = sum(len(each.cases) for each in results)
    failed = sum(bool(case.failures) for each in results for case in each.cases)
    if json:
        rows = [_result_json(each) for each in results]
        json_out({"files": len(results), "cases": total, "failed": failed, "results": rows})
    else:
        for each in results:
            _result_out(each)
        bad = sum(bool(each.faults) for each in results)
        said = f"{count(total, 'case')} in {count(len(results), 'file')}, {failed:,} failed"
        out.print(said + (f", {count(bad, 'file')} with faults." if bad else "."))
    if not all(each.passed for each in results):
        leave(NOT_FINE)


def _result_json(result: cases.FileResult) -> dict[str, object]:
    return {
        "file": result.path,
        "faults": faults_json(result.path, result.faults),
        "cases": result.cases,
    }


def _result_out(result: cases.FileResult) -> None:
    for fault in result.faults:
        fault_out(result.path, _text_of(Path(result.path)), fault)
    for case in result.cases:
        if not case.failures:
            continue
        out.print(Text.assemble((f"{result.path}:{case.line}", "bold"), f" {case.name}"))
        for failure in case.failures:
            out.print(Text(f"  line {failure.line}: {failure.what}"))
            out.print(Text.assemble("    expected  ", (failure.expected, "green")))
            out.print(Text.assemble("    got       ", (failure.got, "red")))
            if failure.story:
                out.print(Text("    what led there", style="dim"))
            for line in failure.story:
                out.print(Text(f"      {line}", style="dim"))
