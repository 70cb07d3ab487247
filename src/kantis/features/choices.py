"""choices: what a member may choose: a category, a cause, a charity.

Guarantee: a choice counts from when it was made; what was earned before it stays as it was.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from kantis.core import windows
from kantis.core.conditions import WHO, Who, check_who, unmet
from kantis.core.events import Choose
from kantis.core.knobs import Knob
from kantis.core.phrases import SOME, TEXTS, TITLE, WHOLE, WINDOW, Quantity, Window, how_often, word
from kantis.core.turn import Refused, Turn

ANY_NAME = "any name"


class ChoiceSection(Struct, frozen=True, kw_only=True):
    """A choice: its options, and how often a member may change it."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    options: Annotated[
        tuple[str, ...], Knob(TEXTS, "what can be chosen; 'any name' is whatever is named")
    ] = ()
    amount: Annotated[
        Quantity | None, Knob(SOME, "a number can be chosen, in whole steps of so much")
    ] = None
    who: Annotated[Who | None, Knob(WHO, "the members that are meant")] = None
    changes: Annotated[int, Knob(WHOLE, "how often it may be made per window; 0 is no limit")] = 0
    window: Annotated[Window, Knob(WINDOW, "the window of 'changes'")] = Window("month")
    first: Annotated[
        str, Knob(word("counts", "is no change"), "whether the first choice ever counts as one")
    ] = "counts"

    @property
    def names_anything(self) -> bool:
        """Whether anything can be named."""
        return self.options == (ANY_NAME,)


def choose(choices: dict[str, ChoiceSection], turn: Turn, body: Choose) -> None:
    """The member makes a choice, or makes it anew."""
    choice = choices.get(body.choice)
    if choice is None:
        raise Refused("unknown-choice", f"There is no choice {body.choice!r}.")
    why = check_who(choice.who, turn) if choice.who is not None else ""
    if why:
        sentence = f"{body.choice!r} is not for everybody: {unmet(why, choice.who)}."
        raise Refused("choice-not-for-you", sentence)
    if choice.amount is not None and body.value not in choice.options:
        step = choice.amount.amount
        if not body.value.isdigit() or int(body.value) % step:
            sentence = f"{body.value!r} cannot be chosen; it goes in steps of {step}."
            raise Refused("not-a-step", sentence)
    elif body.value not in choice.options and not (choice.names_anything and body.value):
        options = ", ".join(choice.options)
        raise Refused("unknown-option", f"{body.value!r} cannot be chosen; there are {options}.")
    counter = f"choice {body.choice}"
    bucket = windows.bucket(choice.window, turn.day, turn.account.joined)
    made = turn.account.counters.get(counter, {}).get(bucket, 0)
    if choice.changes and made >= choice.changes:
        sentence = f"{body.choice!r} was chosen {how_often(made)} in this window."
        raise Refused("chosen-already", sentence)
    free = choice.first == "is no change" and not turn.account.choices.get(body.choice)
    turn.change("choose", body.choice, turn.moment, body.value)
    if not free:
        turn.change("count", counter, bucket, 1)
