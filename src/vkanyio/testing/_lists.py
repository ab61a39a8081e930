"""Lists that a method returns in pages, with what is odd about VK's."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from ._errors import JSON, VKFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._call import Call


@final
@attrs.frozen(eq=False, kw_only=True)
class SimulatedList:
    """The handler of a method that returns a list in pages.

    :ivar items: the list, read again at each call
    :ivar max_page: the largest page
    :ivar hidden: whether an item is counted, but not returned
    :ivar max_results: how many items can be reached
    :ivar by_cursor: whether pages begin at ``start_from``, not at an offset
    """

    items: Sequence[JSON]
    max_page: int
    hidden: Callable[[JSON], bool] | None
    max_results: int | None
    by_cursor: bool

    def __call__(self, call: Call) -> JSON:
        """Return a page."""
        name = "start_from" if self.by_cursor else "offset"
        start = call.integer(name, 0)
        if start < 0:
            raise VKFault.parameter(f"{name} should be positive")
        end = start + min(call.integer("count", self.max_page), self.max_page)
        page = self.items[: self.max_results][start:end]
        if self.hidden is not None:
            page = [item for item in page if not self.hidden(item)]
        value: dict[str, JSON] = {"count": len(self.items), "items": [*page]}
        if self.by_cursor and end < len(self.items[: self.max_results]):
            value["next_from"] = str(end)
        return value
