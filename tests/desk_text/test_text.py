"""Reading files strictly: what is refused, where, and what it says."""

import pytest

from kantis.core.knobs import Node, ProgramError, plain
from kantis.desk.text import SIZE_MAX_BYTES, read


def test_every_value_is_its_text_with_its_place() -> None:
    tree = read("on: no\ndate: 2024-01-01\nn: {x: 1.0, y: ~, z: 'it''s'}\nl:\n  - 0x1F\n")
    assert plain(tree) == {
        "on": "no",
        "date": "2024-01-01",
        "n": {"x": "1.0", "y": "~", "z": "it's"},
        "l": ["0x1F"],
    }
    assert tree.keys["l"] == (4, 1)
    assert tree.value["l"].value[0] == Node("0x1F", 5, 5)
    inner = tree.value["n"]
    assert (inner.line, inner.column, inner.keys["y"]) == (3, 4, (3, 13))
    assert inner.value["z"].column == 23  # behind the quote, so that offsets fit


REFUSED = [
    ("", "empty-file", 0, 0),
    ("# only a comment\n", "empty-file", 0, 0),
    ("a:\n\tb: 1\n", "tab", 2, 1),
    ("a: {b: 1,\n\tc: 2}\n", "tab", 2, 1),
    ("a: 1\nb: 2\na: 3\n", "duplicate-key", 3, 1),
    ("x: {a: 1, a: 2}\n", "duplicate-key", 1, 11),
    ("a: &x 1\n", "anchor", 1, 4),
    ("a: *x\n", "alias", 1, 4),
    ("a: !!int 1\n", "tag", 1, 4),
    ("a: !points {b: 1}\n", "tag", 1, 4),
    ("a: |\n  text\n", "block-text", 1, 4),
    ("a: 1\n---\nb: 2\n", "second-document", 2, 1),
    ("%YAML 1.1\n---\na: 1\n", "directive", 1, 1),
    ("a: b: c\n", "not-yaml", 1, 5),
    ("a: [1, 2\nb: 1\n", "not-yaml", 1, 4),
    ("a: 'x\n", "not-yaml", 1, 4),
    ("a: @x\n", "not-yaml", 1, 4),
    ("- a\nb: 1\n", "not-yaml", 2, 1),
    ("a:\nb: 1\n", "value-missing", 1, 1),
    ("a: [x, , y]\n", "not-yaml", 1, 8),
    ("? [a]\n: 1\n", "text-expected", 1, 3),
    ("a: {: 1}\n", "key-missing", 1, 6),
    ("a: b\x00c\n", "not-text", 1, 5),
    ("a: " + "[" * 40 + "]" * 40, "too-deep", 1, 35),
    ("k" * 300 + ": 1\n", "key-too-long", 1, 1),
]


@pytest.mark.parametrize(("text", "code", "line", "column"), REFUSED)
def test_what_is_refused(text: str, code: str, line: int, column: int) -> None:
    with pytest.raises(ProgramError) as error:
        read(text)
    fault = error.value.faults[0]
    assert (fault.code, fault.line, fault.column) == (code, line, column)
    assert fault.message.endswith(".")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ProgramError) as error:
        read("a: &x 1\nb: !t 2\nb: 3\nc:\n")
    codes = [fault.code for fault in error.value.faults]
    assert codes == ["anchor", "tag", "duplicate-key", "value-missing"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04rest", "not-text"),
        (b"SQLite format 3\x00", "not-text"),
        ("a: ä".encode("utf-16"), "not-text"),
        ("money: EUR\ntitle: Käse".encode("latin-1"), "not-utf-8"),
        (b"a: " + b"x" * SIZE_MAX_BYTES, "too-large"),
    ],
)
def test_files_that_are_something_else(data: bytes, code: str) -> None:
    with pytest.raises(ProgramError) as error:
        read(data, "club.yaml")
    assert error.value.faults[0].code == code
    if code == "not-utf-8":
        assert (error.value.faults[0].line, error.value.faults[0].column) == (2, 9)


def test_line_ends_and_a_mark_at_the_start_do_not_matter() -> None:
    assert read("\ufeffa: 1\r\nb: 2\r\n".encode()).keys == {"a": (1, 1), "b": (2, 1)}
