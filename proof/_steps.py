"""Run a coroutine, and call a function at each of its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator


@final
@attrs.frozen
class Stepped:
    """An awaitable that runs a coroutine.

    :param on_suspension: called when the coroutine has been suspended
    :param on_resumption: called before it goes on
    """

    coroutine: Coroutine[Any, Any, Any]
    on_suspension: Callable[[], None]
    on_resumption: Callable[[], None]

    def __await__(self) -> Generator[Any, Any, Any]:
        iterator = self.coroutine.__await__()
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                if error is not None:
                    trap = iterator.throw(error)
                else:
                    trap = iterator.send(value)
            except StopIteration as stop:
                return stop.value
            self.on_suspension()
            value, error = None, None
            try:
                value = yield trap
            except BaseException as thrown:
                error = thrown
            self.on_resumption()
