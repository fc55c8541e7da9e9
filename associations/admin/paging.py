"""Pages of lists that may be very long: counted to an end, never to the last row."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator

from associations.querysets import counted


class CappedPaginator(Paginator[Any]):
    """Counts to an end: further pages than that nobody turns, while counting millions of rows keeps people waiting."""

    MOST = 10_000

    @cached_property
    def _counted(self) -> int:
        listed: Any = self.object_list
        if isinstance(listed, list):
            return len(listed)
        return listed.order_by().values("pk")[: self.MOST + 1].count()  # without what is annotated to rows

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.MOST)

    @property
    def is_capped(self) -> bool:
        return self._counted > self.MOST

    @property
    def count_in_words(self) -> str:
        return counted(self._counted, self.MOST)
