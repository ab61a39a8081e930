"""Cancellation at every step of every kind of call, and at random times.

``test_every_step`` plays each scenario of a table (``_scenarios.py``) repeatedly, and
cancels its victims one step of any task later each time. ``test_random_schedules`` puts
all events on a coarse grid of time, so that many coincide. Both check the same promises
afterwards (``_calls.py``).
"""

import pytest

for _name in ("_calls", "_play", "_schedules", "_streams", "_ways"):  # they assert
    pytest.register_assert_rewrite(f"cancellation.{_name}")
