"""What ``execute`` and stored procedures return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self, final

import attrs

from ._repr import repr_of_fields
from ._typeguards import is_dict

if TYPE_CHECKING:
    from collections.abc import Mapping


@final
@attrs.frozen(kw_only=True)
class ExecuteError:
    """A call inside a script that failed: its value in the script was ``false``.

    :ivar method: the method that failed
    :ivar code: VK's error code, see :exc:`~vkanyio.APIError`
    :ivar message: VK's message
    :ivar raw: the whole entry, without the parameters that it may repeat
    """

    method: str
    code: int
    message: str
    raw: Mapping[str, Any] = attrs.field(repr=False)

    __repr__ = repr_of_fields

    @classmethod
    def from_raw(cls, raw: Any) -> Self:
        """Read an entry of VK's ``execute_errors``, whatever is missing in it."""
        entry = raw if is_dict(raw) else {}
        code = entry.get("error_code")
        return cls(
            method=str(entry.get("method") or ""),
            code=code if type(code) is int else 0,
            message=str(entry.get("error_msg") or ""),
            # As in APIError: secrets may be among the parameters.
            raw={k: v for k, v in entry.items() if k != "request_params"},
        )


class ExecuteResult(NamedTuple):
    """What a script returned, and which of its calls failed.

    It unpacks: ``response, errors = await api.execute(code)``.

    :ivar response: what the script returned
    :ivar errors: the calls that failed, in the order in which the script made them
    """

    response: Any
    errors: tuple[ExecuteError, ...] = ()
