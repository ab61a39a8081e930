"""Cancellation at every step of every kind of call, and at random.

``test_every_step`` goes through a table of scenarios (``_scenarios.py``): each is
played again and again, and its victims are cancelled one step of any task later each
time. ``test_random_schedules`` lets everything happen on a coarse grid of time, so that
much of it coincides. Both look at the same promises afterwards (``_calls.py``).
"""

import pytest

for _name in ("_calls", "_play", "_schedules", "_ways"):  # they assert
    pytest.register_assert_rewrite(f"cancellation.{_name}")
