"""Bring the catalogs of texts up to date: what pages say, for each language to translate.

    python scripts/texts.py

New texts come in without a translation, and what nothing says any more goes out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from kantis.core.events import Body
from kantis.desk import flags, library, mailing, sessions, text
from kantis.desk.audit import DEEDS
from kantis.desk.keys import SCOPES
from kantis.desk.measures import definitions
from kantis.desk.showing import PLACES
from kantis.desk.staff import ROLES
from kantis.desk.vault import searching
from kantis.doors.intake.mapping import KINDS
from kantis.doors.web import menu, phrasebook, refusing, terms
from kantis.doors.web.languages import FIRST, LANGUAGES, TEXTS, catalog
from kantis.engine import reach
from kantis.store import imports

_WEB = Path(phrasebook.__file__).parent
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_WIDTH = 100
_ENGINE = Path(reach.__file__).parent


def wanted() -> Iterator[str | tuple[str, str]]:
    """All texts that pages and terms can say; a text that goes with a number is a pair."""
    options = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
    for found in extract_from_dir(_WEB, _METHODS, options):
        yield found[2]
    yield from ROLES
    yield from DEEDS.values()
    yield from (*flags.MEANINGS.values(), flags.OTHERWISE)
    yield from (*SCOPES, *SCOPES.values())
    yield from PLACES
    yield from (kind.__struct_config__.tag for kind in get_args(Body))
    yield from menu.texts()
    yield from searching.BY
    yield from KINDS
    yield from imports.STATES
    yield from (sessions.SIGN_IN, sessions.CONFIRM, mailing.CHANGED, mailing.PHONE)
    yield from (sessions.UNLOCK, sessions.PROVE, mailing.PASSKEY, mailing.NO_PASSKEY)
    yield from (reach.LOADED, reach.OPEN, reach.COMING, reach.USED_UP)
    yield from (heading for _, heading, _ in terms.CHAPTERS)
    yield from terms.LABELS.values()
    yield from phrasebook.SHAPES
    yield from phrasebook.WINDOWS
    yield from phrasebook.COUNTED.values()
    yield phrasebook.ROLLING
    for path in library.templates().values():
        yield str(text.read(path.read_text(encoding="utf-8")).value["about"].value)
    yield from definitions.texts()
    yield from (*refusing.REASONS, *refusing.AFTER, *refusing.UNMETS)
    yield from (refusing.MEANT, refusing.ONCE)
    for file in sorted(_ENGINE.glob("*.py")):
        yield from templates(file.read_text(encoding="utf-8"))


def templates(source: str) -> Iterator[str | tuple[str, str]]:
    """The templates of sentences that a file of the engine writes out.

    >>> list(templates('Template("{points} expired.")(points=points)'))
    ['{points} expired.']
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Template":
            texts = tuple(ast.literal_eval(each) for each in node.args)
            yield texts[0] if len(texts) == 1 else texts


def renewed(tag: str) -> Catalog:
    """The catalog of a language with exactly the texts that are wanted."""
    kept, locale = catalog(tag), LANGUAGES[tag][1]
    fresh = Catalog(locale, project="Kantis", fuzzy=False)
    fresh.header_comment = f"# Texts of Kantis in {LANGUAGES[tag][0]}."
    for said in sorted(set(wanted()), key=str):
        known = kept.get(said)
        fresh.add(said, known.string if known is not None else None)
    return fresh


def main() -> None:
    for tag in LANGUAGES:
        fresh = renewed(tag)
        with (TEXTS / f"{tag}.po").open("wb") as file:
            write_po(file, fresh, width=_WIDTH, no_location=True, omit_header=True)
        if tag != FIRST:
            missing = sum(1 for each in fresh if each.id and not _whole(each.string))
            print(f"{tag}: {len(fresh)} texts, {missing} not translated")


def _whole(string: str | tuple[str, ...]) -> bool:
    return all(string) if isinstance(string, tuple) else bool(string)


if __name__ == "__main__":
    main()
