"""Whatever one room offers another has a docstring: its modules, functions and classes."""

import ast

import pytest

from tests.house.sources import modules, name, tree

ROOMS = ("core", "features", "engine", "desk")


def undocumented(module: ast.Module) -> list[str]:
    """The public names of this module that say nothing about themselves."""
    silent = [] if ast.get_docstring(module) or not module.body else ["the module itself"]
    for node in module.body:
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not _is_overload(node)
            and not ast.get_docstring(node)
        ):
            silent.append(f"line {node.lineno}: {node.name}")
    return silent


def _is_overload(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return any(ast.unparse(d).endswith("overload") for d in node.decorator_list)


def test_public_names_have_docstrings() -> None:
    faults = [f"{name(path)} {who}" for path in modules(*ROOMS) for who in undocumented(tree(path))]
    assert not faults, "without a docstring:\n" + "\n".join(faults)


@pytest.mark.parametrize(
    "snippet",
    [
        "x = 1",
        '"""Module."""\ndef decide(): return 1',
        '"""Module."""\nasync def submit(): return 1',
        '"""Module."""\nclass Lot:\n    n: int',
    ],
)
def test_silence_is_caught(snippet: str) -> None:
    assert undocumented(ast.parse(snippet))


def test_private_names_may_be_silent() -> None:
    assert not undocumented(ast.parse('"""Module."""\ndef _helper(): return 1'))
    assert not undocumented(ast.parse(""))
