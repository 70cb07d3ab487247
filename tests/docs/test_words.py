"""One word for one thing: a key that several sections have is written the same way in each."""

from typing import Annotated

from msgspec import Struct

from kantis.core.amounts import Ratio
from kantis.core.knobs import Knob, knobs_of
from kantis.core.phrases import PERCENT
from kantis.engine.sections import PAGES, CapSection

#: Where the same thing is written in two ways: one or several events, old levels and new ones,
#: a fixed worth and a worth per so much, what a refund does and at which rate, what is earned at
#: a rate or as a fixed number.
TWO_WAYS = {"for", "levels", "worth", "refunds", "give"}


def written_differently(sections: dict[str, type[Struct]]) -> set[str]:
    """The keys that read as one kind of value in one section, and as another in a second."""
    kinds: dict[str, set[str]] = {}
    for section in sections.values():
        for key, (_, knob, _) in knobs_of(section).items():
            kinds.setdefault(key, set()).add(knob.kind.name)
    return {key for key, found in kinds.items() if len(found) > 1}


def test_a_key_is_written_the_same_way_in_each_section() -> None:
    assert written_differently(PAGES) == TWO_WAYS


class Share(Struct):
    """A section that says the share that points pay with the word of a cap's limit."""

    at_most: Annotated[Ratio, Knob(PERCENT, "the largest share of the basket")]


def test_a_word_for_two_things_is_caught() -> None:
    assert written_differently({"caps": CapSection, "rewards": Share}) == {"at most"}
