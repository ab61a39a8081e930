"""What programs read and change: people, communities, walls, messages, uploads.

Every positive number is the id of a user and of a community. Their properties are
generated from the seed on demand, so only what was written takes memory. Any user may
manage any community until a test defines its managers.
"""

from __future__ import annotations

from .state import SimulatedState as SimulatedState
