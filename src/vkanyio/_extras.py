"""How to install an extra."""

from __future__ import annotations


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra, for messages.

    The package is on no index yet, so it is installed from a clone.
    """
    return f"run pip install '.[{extra}]' in the clone of vkanyio"


def without_extra(module: str, extra: str) -> ImportError:
    """Return the error of a module whose extra is not installed."""
    return ImportError(f"{module} needs another package: {how_to_install(extra)}")
