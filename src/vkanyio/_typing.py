"""What the generated types need and typing does not have, or not in each version."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

# Before Python 3.12, pydantic refuses that of the standard library. anyio brings
# typing_extensions.
if sys.version_info >= (3, 12):
    from typing import TypedDict as TypedDict
else:
    from typing_extensions import TypedDict as TypedDict

if TYPE_CHECKING:
    from typing import Never

    EmptyList: TypeAlias = list[Never]
    """What VK sends in place of an object with nothing in it."""
else:
    EmptyList = list[Any]  # tools do not know Never
