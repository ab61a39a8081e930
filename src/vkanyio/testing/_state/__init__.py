"""What programs read and change: people, communities, walls, messages, uploads.

Every positive number is a user, and every one a community. What they are like is drawn
from the seed when it is asked for, so that memory holds only what was written. Whoever
comes may run any community, until a test says who runs it.
"""

from __future__ import annotations

from .state import State as State
