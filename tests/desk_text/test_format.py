"""The canonical form: the same tree, every comment, and formatting twice changes nothing."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kantis.core import slips
from kantis.core.knobs import ProgramError, plain
from kantis.desk.format import WIDTH, canonical, scalar
from kantis.desk.text import parts, read, to_node

LETTERS = st.sampled_from("ab Zä09.-#:,[]{}&*!|>'\"%@`?=~/\\€_ ")
TEXT = st.one_of(
    st.sampled_from(
        ["yes", "null", "12.50 EUR", "2024-03-01 09:00", "a: b", "- x", "x #y", "1 %", "---", ""]
    ),
    st.text(LETTERS, max_size=14),
    st.text(max_size=8)
    .filter(lambda text: text.isprintable() or "\n" in text)
    .filter(lambda text: not set(text) & set(slips.SPACES + slips.QUOTES)),
    st.lists(st.sampled_from(["points", "per", "full", "pound,", "- and", "?"]), max_size=60).map(
        " ".join
    ),
)
KEY = st.one_of(
    st.sampled_from(["give", "for", "paid to", "from 2024-01-01"]), st.text(LETTERS, max_size=8)
).filter(bool)
TREE = st.recursive(
    TEXT,
    lambda child: st.one_of(st.lists(child, max_size=4), st.dictionaries(KEY, child, max_size=4)),
    max_leaves=14,
)


class Writer:
    """Writes a tree in one of many possible ways, with comments."""

    def __init__(self, draw: Any) -> None:
        self.draw, self.count = draw, 0

    def comment(self) -> str:
        self.count += 1
        return f"# note {self.count}"

    def quote(self, text: str, flow: bool) -> str:
        written = scalar(text, flow)
        if written == text and self.draw(st.booleans()) and "'" not in text:
            return f"'{text}'"
        return written

    def flow(self, tree: Any) -> str:
        gap = self.draw(st.sampled_from(["", " "]))
        if isinstance(tree, str):
            return self.quote(tree, True)
        if isinstance(tree, list):
            return "[" + f",{gap} ".join(map(self.flow, tree)) + gap + "]"
        inner = [f"{self.quote(key, True)}: {self.flow(value)}" for key, value in tree.items()]
        return "{" + gap + f",{gap} ".join(inner) + "}"

    def block(self, tree: Any, indent: int) -> list[str]:
        lines = []
        entries = tree.items() if isinstance(tree, dict) else [(None, each) for each in tree]
        for key, value in entries:
            if self.draw(st.integers(0, 5)) == 0:
                lines.append("")
            if self.draw(st.integers(0, 3)) == 0:
                lines.append(" " * indent + self.comment())
            start = " " * indent + ("-" if key is None else self.quote(key, False) + ":")
            side = "  " + self.comment() if self.draw(st.integers(0, 3)) == 0 else ""
            if isinstance(value, str):
                lines.append(f"{start} {self.quote(value, False)}{side}")
            elif not value or self.draw(st.booleans()):
                lines.append(f"{start} {self.flow(value)}{side}")
            else:
                lines += [start + side, *self.block(value, indent + self.draw(st.integers(1, 4)))]
        if lines and self.draw(st.integers(0, 4)) == 0:
            lines.append(" " * indent + self.comment())
        return lines


@st.composite
def files(draw: Any) -> tuple[str, Any, int]:
    tree = draw(st.one_of(st.dictionaries(KEY, TREE, min_size=1), st.lists(TREE, min_size=1)))
    writer = Writer(draw)
    return "\n".join(writer.block(tree, 0)) + "\n", tree, writer.count


def order(path: tuple[str, ...]) -> list[str]:
    return ["for", "give", "paid to"]


@given(files())
@example(("a:\n  - b\n  # note 1\n# note 2\nc: d\n", {"a": ["b"], "c": "d"}, 2))
def test_canonical_form(case: tuple[str, Any, int]) -> None:
    text, tree, comments = case
    assert plain(read(text)) == tree
    once = canonical(text, order)
    assert plain(read(once)) == tree
    assert canonical(once, order) == once
    for number in range(1, comments + 1):
        assert f"# note {number}" in once
    assert canonical(text) == canonical(canonical(text))


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        root = parts(text)
    except ProgramError:
        return
    assert plain(to_node(parts(canonical(text)))) == plain(to_node(root))


FORMS = [
    ("a:   1\n", "a: 1\n"),
    ("a: {b: 1,c: 'd'}\n", "a: {b: 1, c: d}\n"),
    ("# the file\n\n# the key\na: 1 #side\n", "# the file\n\n# the key\na: 1  #side\n"),
    ("a:\n- b\n- c: d\n  e: f\n", "a:\n  - b\n  - c: d\n    e: f\n"),
    ("a: {b: 1, # one\n  c: 2}\n", "a:\n  b: 1  # one\n  c: 2\n"),
    ("a: [b,\n  # why\n  c]\n", "a:\n  - b\n  # why\n  - c\n"),
    ("a: {} # none\n", "a: {}  # none\n"),
    ("a:\n\n\n  b: 1\n\n\n  c: 2\n", "a:\n  b: 1\n\n  c: 2\n"),
    ("a:\n  b: 1\n  # last of a\n# first of c\nc: 2\n# end\n",) * 2,
    ('a: "yes"\nb: "1: 2"\n', 'a: yes\nb: "1: 2"\n'),
    ("- \n  # why\n  a: 1\n", "# why\n- a: 1\n"),
    ("---\na: 1\n", "a: 1\n"),
]


@pytest.mark.parametrize(("text", "form"), FORMS)
def test_forms(text: str, form: str) -> None:
    assert canonical(text) == form
    assert canonical(form) == form


def test_keys_stand_in_the_declared_order_and_take_their_comments_along() -> None:
    text = "# top\n\nearn:\n  # bonus\n  b: {round: down, give: 1}\n  a: 1\n\nmoney: EUR\nodd: 1\n"
    knobs = {(): ["money", "earn"], ("earn", "b"): ["give", "round"]}
    form = canonical(text, lambda path: knobs.get(path, []))
    assert form == (
        "# top\n\nmoney: EUR\nearn:\n  # bonus\n  b: {give: 1, round: down}\n  a: 1\nodd: 1\n"
    )


def test_what_does_not_fit_in_a_line_stands_in_several() -> None:
    text = "earn: {" + ", ".join(f"key-{n}: {{give: {n} points}}" for n in range(6)) + "}\n"
    form = canonical(text)
    assert form.splitlines()[1] == "  key-0: {give: 0 points}"
    long = canonical("purpose: " + "many words " * 30 + "\n")
    assert max(map(len, long.splitlines())) <= WIDTH
    assert canonical(long) == long
