"""A file has at most 500 lines and a function at most 60, docstrings not counted in the latter."""

import ast
from pathlib import Path

from tests.house.sources import REPO, modules, name, tree

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
WRITTEN_BY_HAND = {".py", ".sql", ".html", ".css", ".js"}


def long_functions(module: ast.Module) -> list[str]:
    """A sentence for each function that is too long to be read at once."""
    faults = []
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = _lines(node) - _docstring_lines(node)
            if lines > FUNCTION_LINES_MAX:
                faults.append(f"line {node.lineno}: {node.name} has {lines} lines")
    return faults


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return _lines(node.body[0]) if ast.get_docstring(node, clean=False) is not None else 0


def is_too_long(text: str) -> bool:
    return len(text.splitlines()) > FILE_LINES_MAX


def _written_files() -> list[Path]:
    return [
        path
        for path in sorted((REPO / "src").rglob("*"))
        if path.suffix in WRITTEN_BY_HAND and "vendor" not in path.parts
    ]


def test_files_are_short() -> None:
    long = [name(p) for p in _written_files() if is_too_long(p.read_text(encoding="utf-8"))]
    assert not long, f"more than {FILE_LINES_MAX} lines: {', '.join(long)}"


def test_functions_are_short() -> None:
    faults = [f"{name(p)} {fault}" for p in modules() for fault in long_functions(tree(p))]
    assert not faults, f"at most {FUNCTION_LINES_MAX} lines:\n" + "\n".join(faults)


def test_a_long_file_is_caught() -> None:
    assert is_too_long("x = 1\n" * (FILE_LINES_MAX + 1))
    assert not is_too_long("x = 1\n" * FILE_LINES_MAX)


def test_a_long_function_is_caught() -> None:
    body = "    x = 1\n" * FUNCTION_LINES_MAX
    inside = "class A:\n    async def f(self):\n" + "        x = 1\n" * FUNCTION_LINES_MAX
    assert long_functions(ast.parse("def f():\n" + body))
    assert long_functions(ast.parse(inside))


def test_a_long_docstring_is_welcome() -> None:
    text = "words\n" * 200
    assert not long_functions(ast.parse(f'def f():\n    """{text}"""\n    return 1\n'))
