"""The long checks of vkanyio: no call is lost or executed twice, nothing leaks.

::

    uv run python -m proof

They take minutes where the tests take seconds. Each can also be run by itself, and
exits with 1 if a promise was broken.
"""
