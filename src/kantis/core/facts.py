"""Facts: how what is known of an account is called, where several rooms have to know."""

from typing import Final

#: In a segment, ``yes`` or ``no``; its name follows.
SEGMENT: Final = "segment "
#: How the draw for a segment that holds a share back fell: an arm, and the instant of the draw.
DRAWN: Final = "drawn "
#: The arms of a draw: those who get what the segment gets, and those who are held back.
WITH: Final = "with"
WITHOUT: Final = "without"
