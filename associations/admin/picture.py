"""A picture of a record in the middle of its neighbours, with the labels on the lines; all of it can be clicked.

Drawn by the server as SVG, so that it needs no script and is read aloud like a list of links. Used by the page of a
record.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest

from associations.models import ObjectType, Record
from associations.types import DirectedType

from .record_page import Associated, Group

# In the picture's own units.
WIDTH, ROW, TOP = 1080, 54, 22
NODE_WIDTH, NODE_HEIGHT = 224, 40
MOST = 12
LETTERS, LABEL_LETTERS = 28, 24
CENTER_LETTERS = 23  # in bold
WIDE = "MWmw@%"


@dataclass(frozen=True)
class Node:
    """A neighbour: the left upper corner of its box, and where its line and the labels on it go."""

    record: Record
    labels: list[DirectedType]
    is_primary: bool
    on_the_left: bool
    x: int
    y: int
    line: str = ""
    label_x: int = 0
    label_y: int = 0

    @property
    def words(self) -> str:
        return _short(str(self.record), LETTERS)

    @property
    def text_x(self) -> int:
        return self.x + NODE_WIDTH // 2

    @property
    def text_y(self) -> int:
        return self.y + NODE_HEIGHT // 2 - 2

    @property
    def kind_y(self) -> int:
        return self.y + NODE_HEIGHT - 6

    @property
    def label_words(self) -> str:
        return _short(", ".join(label.label for label in self.labels), LABEL_LETTERS)


@dataclass(frozen=True)
class Picture:
    record: Record
    height: int
    nodes: list[Node] = field(default_factory=list)
    # Object types of which not all are drawn, and how many are left out, in words.
    more: list[tuple[ObjectType, str]] = field(default_factory=list)
    node_width: int = NODE_WIDTH
    node_height: int = NODE_HEIGHT

    @property
    def words(self) -> str:
        return _short(str(self.record), CENTER_LETTERS)

    @property
    def left(self) -> int:
        """Where it begins: with the record itself where nobody is on its left."""
        return 0 if any(node.on_the_left for node in self.nodes) else self.x

    @property
    def shown_width(self) -> int:
        return WIDTH - self.left

    @property
    def center_x(self) -> int:
        return WIDTH // 2

    @property
    def x(self) -> int:
        return (WIDTH - NODE_WIDTH) // 2

    @property
    def y(self) -> int:
        return (self.height - NODE_HEIGHT) // 2

    @property
    def text_y(self) -> int:
        return self.y + NODE_HEIGHT // 2 + 5


def draw(record: Record, groups: Sequence[Group]) -> Picture | None:
    """The first neighbours of every object type in turn, half of them on either side; None without any."""
    turns = zip_longest(*(group.shown for group in groups))
    chosen = [each for each in chain.from_iterable(turns) if each is not None][:MOST]
    if not chosen:
        return None
    chosen.sort(key=lambda each: (each.record.object_type.place, not each.is_primary, each.record.pk))
    left = chosen[: (len(chosen) + 1) // 2] if len(chosen) > 1 else []
    right = chosen[len(left) :]
    height = TOP * 2 + ROW * max(len(left), len(right)) - (ROW - NODE_HEIGHT)
    nodes = [*_column(left, height, on_the_left=True), *_column(right, height, on_the_left=False)]
    drawn = {each.record.object_type: 0 for each in chosen}
    for each in chosen:
        drawn[each.record.object_type] += 1
    more = [
        (group.object_type, group.count_in_words) for group in groups if group.count > drawn.get(group.object_type, 0)
    ]
    return Picture(record, height, nodes, more)


def _column(side: Sequence[Associated], height: int, *, on_the_left: bool) -> list[Node]:
    """Boxes one under the other, in the middle of the height, with a curve from the record's box to each."""
    top = (height - ROW * len(side) + ROW - NODE_HEIGHT) // 2
    x = 0 if on_the_left else WIDTH - NODE_WIDTH
    edge = NODE_WIDTH if on_the_left else WIDTH - NODE_WIDTH
    start = (WIDTH - NODE_WIDTH) // 2 if on_the_left else (WIDTH + NODE_WIDTH) // 2
    bend = (edge + start) // 2
    nodes = []
    for place, each in enumerate(side):
        y = top + ROW * place
        middle = y + NODE_HEIGHT // 2
        nodes.append(
            Node(
                each.record,
                [put.directed for put in each.labels],
                each.is_primary,
                on_the_left,
                x,
                y,
                line=f"M{start} {height // 2} C{bend} {height // 2} {bend} {middle} {edge} {middle}",
                label_x=edge + (8 if on_the_left else -8),
                label_y=middle - 6 if middle <= height // 2 else middle + 15,  # where the curve does not go
            )
        )
    return nodes


def _short(text: str, letters: int) -> str:
    """As much of a text as so many letters of usual width take."""
    room = float(letters)
    for place, letter in enumerate(text):
        room -= 1.5 if letter in WIDE or unicodedata.east_asian_width(letter) == "W" else 1
        if room < 0:
            return f"{text[: place - 1].rstrip()}…"
    return text
