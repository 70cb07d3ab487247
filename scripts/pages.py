"""Make what is generated anew, in docs/ and MAP.md: ``python scripts/pages.py``."""

import ast
import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path

from kantis.core.knobs import plain
from kantis.core.places import CHART
from kantis.core.refusals import NEXT, OTHERWISE
from kantis.desk import notices, text
from kantis.desk.reference import table
from kantis.desk.results import REFUSALS
from kantis.doors.api.contract import contract
from kantis.engine.program import Version, assemble
from kantis.engine.sections import PAGES

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "kantis"
CONTRACT = ROOT / "docs" / "openapi.json"


def modules(room: str) -> str:
    """A table of the modules of a room, each with the first sentence of its docstring."""
    rows = ["| file | what is there |", "| --- | --- |"]
    for path in sorted((SOURCE / room).rglob("*.py")):
        if path.name in ("__init__.py", "__main__.py") and path.parent == SOURCE / room:
            continue
        told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        line = " ".join(told.split("\n\n")[0].split())
        rows.append(f"| `{path.relative_to(SOURCE).as_posix()}` | {line} |")
    return "\n".join(rows)


def places() -> str:
    """The chart of places as a table."""
    rows = ["| place | whose | floor | what it means to be there |", "| --- | --- | --- | --- |"]
    for place in CHART:
        whose = "the member's" if place.member else "the system's"
        floor = "" if place.floor is None else str(place.floor)
        rows.append(f"| {place.name} | {whose} | {floor} | {place.meaning} |")
    return "\n".join(rows)


def refusals(whose: str) -> str:
    """The codes of the rules' refusals or of the desk's, each with its sentence."""
    rows = ["| code | what to do next |", "| --- | --- |"]
    said = REFUSALS if whose == "desk" else NEXT | {f"{k}…": v for k, v in OTHERWISE.items()}
    return "\n".join([*rows, *(f"| `{code}` | {said[code]} |" for code in sorted(said))])


def told() -> str:
    """What webhooks can be told, as a table."""
    rows = ["| type | when |", "| --- | --- |"]
    return "\n".join([*rows, *(f"| `{type}` | {when} |" for type, when in notices.TYPES.items())])


def written(program: str) -> str:
    """The function that the purchases of a program are compiled to."""
    tree = plain(text.read_file(ROOT / "programs" / f"{program}.yaml"))
    plan = assemble([Version.of(1, 0, tree)]).newest
    return f"```text\n{plan.write('purchase').source}```"


#: What is generated, by the word of its markers; each from what its first marker names.
GENERATED: dict[str, Callable[[str], str]] = {
    "knobs": lambda section: table(PAGES[section]),
    "modules": modules,
    "notices": lambda _: told(),
    "places": lambda _: places(),
    "refusals": refusals,
    "written": written,
}
_MARKED = re.compile(r"<!-- (\w+)(?:: (\S+))? -->\n.*?<!-- end of \1 -->", re.DOTALL)


def renewed(told: str) -> str:
    """A page with what stands between its markers made anew; ``KeyError`` for an unknown name."""

    def renew(match: re.Match[str]) -> str:
        begin = match[0].partition("\n")[0]
        return f"{begin}\n{GENERATED[match[1]](match[2])}\n<!-- end of {match[1]} -->"

    return _MARKED.sub(renew, told)


def frozen() -> str:
    """The contract of the service, as docs/openapi.json has it."""
    return json.dumps(contract(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write every page that is not current."""
    for page in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "MAP.md"]:
        old = page.read_text(encoding="utf-8")
        new = renewed(old)
        if new != old:
            page.write_text(new, encoding="utf-8")
            print(f"{page.name}: made anew")
    CONTRACT.write_text(frozen(), encoding="utf-8")
    runpy.run_path(str(ROOT / "scripts" / "client.py"), run_name="__main__")


if __name__ == "__main__":
    main()
