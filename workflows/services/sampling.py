"""What a rehearsal of some records matches by: the keys of these and of all that match them.

Of values that no action has matched on before there are no match keys yet. For all records they are built; for a few
it is enough to read the values and to keep in memory which are equal. Called by services.rehearsal and preview.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from associations.models import MatchIndex, MatchKey, Property
from associations.services import match_keys
from workflows.actions.create_associations import CreateConfig

from .lifecycle import Definition

# How many values are read between two looks at the clock.
SOME = 5_000
Compared = tuple[Property, str]  # a property and the comparison
Keys = dict[Compared, dict[int, bytes]]


@dataclass(frozen=True)
class Matching:
    """An action that matches values: `mine` are the keys of the enrolled records, `read` those of the others that equal
    one of them, where nobody has matched on these before. `most`: how many it associates a record with."""

    own: Compared
    other: Compared
    mine: Mapping[int, bytes]
    read: Mapping[int, bytes] | None
    is_built: bool
    most: int

    def pairs(self) -> int:
        """How many pairs it would associate, at most."""
        if self.read is not None:
            counts = Counter(self.read.values())
        else:
            keys = self._built(set(self.mine.values())).values("key").annotate(count=Count("record"))
            counts = Counter({bytes(key): count for key, count in keys.values_list("key", "count").order_by()})
        return sum(min(counts[key], self.most) for key in self.mine.values())

    def keys_of(self, ids: Collection[int]) -> Keys:
        """Of some of the enrolled records, and of the others that match them."""
        mine = {id_: self.mine[id_] for id_ in ids if id_ in self.mine}
        wanted = set(mine.values())
        if self.read is not None:
            others = {id_: key for id_, key in self.read.items() if key in wanted}
        else:
            others = {id_: bytes(key) for id_, key in self._built(wanted).values_list("record", "key")}
        return {self.own: others | mine} if self.own == self.other else {self.own: mine, self.other: others}

    def _built(self, wanted: Collection[bytes]) -> QuerySet[MatchKey]:
        prop, comparison = self.other
        index = MatchIndex.objects.filter(property=prop, comparison=comparison)
        return MatchKey.objects.filter(index__in=index, key__in=wanted)


def matchings(read: Definition, ids: Collection[int], seconds: float | None = None) -> list[Matching] | None:
    """What the actions match of these records; None where values that nobody has matched on before are so many that
    reading them takes more seconds."""
    end = None if seconds is None else time.monotonic() + seconds
    built = set(MatchIndex.objects.filter(built_at__isnull=False).values_list("property", "comparison"))
    found = []
    for action, config in read.actions:
        if not (indexes := action.references(config).match_indexes):
            continue
        own, other = indexes
        mine = dict(match_keys.live_keys(*own, ids))
        others: dict[int, bytes] | None = None
        is_built = [(prop.pk, comparison) in built for prop, comparison in (own, other)]
        if not is_built[1]:
            wanted, others = set(mine.values()), {}
            for number, (id_, key) in enumerate(match_keys.live_keys(*other)):
                if key in wanted:
                    others[id_] = key
                if end is not None and number % SOME == 0 and time.monotonic() > end:
                    return None
        most = (config.cap if config.several == "all" else 1) if isinstance(config, CreateConfig) else 0
        found.append(Matching(own, other, mine, others, all(is_built), most))
    return found


def missing_keys(matched: Sequence[Matching], ids: Collection[int]) -> Keys:
    """All keys that a rehearsal of these records needs, where some of them were never built; none where all are."""
    keys: Keys = {}
    if not all(each.is_built for each in matched):
        for each in matched:
            for compared, of_records in each.keys_of(ids).items():
                keys.setdefault(compared, {}).update(of_records)
    return keys
