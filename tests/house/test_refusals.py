"""Every "no" of a rule has its code in one table, with what to do next."""

import ast

import pytest

from kantis.core.refusals import NEXT, OTHERWISE
from tests.house.sources import modules, name, tree


def codes(module: ast.Module) -> list[tuple[int, str]]:
    """(line, code) of each refusal that is raised; of one that is put together, its start."""
    found = []
    for node in ast.walk(module):
        if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused"):
            continue
        code = node.args[0]
        if isinstance(code, ast.JoinedStr):
            code = code.values[0]
        assert isinstance(code, ast.Constant), "a code is written where it is raised"
        found.append((node.lineno, str(code.value)))
    return found


def missing(module: ast.Module) -> list[tuple[int, str]]:
    return [each for each in codes(module) if each[1] not in NEXT and each[1] not in OTHERWISE]


def test_each_code_says_what_to_do_next() -> None:
    faults = [
        f"{name(path)}:{line}: {code!r} is not in core/refusals.py"
        for path in modules("core", "features", "engine")
        for line, code in missing(tree(path))
    ]
    assert not faults, "\n".join(faults)


def test_each_code_is_raised_somewhere() -> None:
    raised = {
        code for path in modules("core", "features", "engine") for _, code in codes(tree(path))
    }
    assert not (NEXT.keys() | OTHERWISE.keys()) - raised


@pytest.mark.parametrize("text", [*NEXT.values(), *OTHERWISE.values()])
def test_a_next_step_is_a_sentence(text: str) -> None:
    assert text[0].isupper()
    assert text.endswith(".")


def test_a_code_without_its_next_step_is_caught() -> None:
    assert missing(ast.parse("raise Refused('no-way', 'There is no way.')")) == [(1, "no-way")]
    assert missing(ast.parse("raise Refused(f'never-{why}', 'No.')")) == [(1, "never-")]
    assert not missing(ast.parse("raise Refused('sold-out', 'Gone.')"))
