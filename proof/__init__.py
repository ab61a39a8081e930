"""The long checks of vkanyio: nothing lost, nothing twice, nothing left behind.

::

    uv run python -m proof

They take minutes where the tests take seconds. Each is a command of its own as well,
and ends with 1 if a promise was broken.
"""
