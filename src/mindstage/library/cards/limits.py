"""What a card may be at most. Every limit is judged before the thing it limits is unfolded.

The figures are generous for honest cards (the largest that circulate are some 2 MiB of picture and 300 kB of text) and
small enough that the worst file costs well under a second and about 60 MiB.
"""

from __future__ import annotations

MIB = 1024 * 1024

PNG_BYTES = 20 * MIB
JSON_BYTES = 5 * MIB

CHUNKS = 1_000
TEXT_CHUNK_BYTES = 8 * MIB
SIDE_PIXELS = 8_192
PIXELS = 40_000_000

JSON_DEPTH = 64
JSON_VALUES = 200_000  # values and names together
CARD_TEXT_BYTES = 2_000_000  # all strings of the card together, as UTF-8

FIELD_CHARACTERS = 100_000
NAME_CHARACTERS = 500
LIST_ITEMS = 1_000
LORE_ENTRIES = 5_000
