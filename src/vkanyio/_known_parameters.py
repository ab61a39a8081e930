"""Which parameters the methods in VK's schema have, by VK's names.

VK ignores a parameter that it does not know, so a misspelt one goes unnoticed: it gets
a warning in the log, once in a process. It is no error, since VK has parameters that
its schema lacks.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from ._repetition import is_known
from ._similar import did_you_mean
from ._wire_checks import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger("vkanyio")

FOR_ANY_METHOD = frozenset(
    {
        "access_token",
        "captcha_key",
        "captcha_sid",
        "confirm",
        "lang",
        "success_token",
        "test_mode",
        "v",
    }
)
"""Parameters that VK accepts for every method: https://dev.vk.com/api/api-requests"""

MAX_NAMES = 200
"""The most names that are remembered for a method: more are no mistakes in typing."""


@functools.cache
def known_parameters(method: str) -> set[str] | None:
    """Return the parameters that need no warning.

    :param method: a method in VK's schema: each one is remembered
    :return: a set that only this module changes, to warn of a name once; None if the
        method takes parameters of any name
    """
    from ._parameter_names import PARAMETERS  # lazily, to import vkanyio fast

    names = PARAMETERS.get(method)
    return None if names is None else {*names.split(), *FOR_ANY_METHOD}


def expect(method: str, names: Iterable[str]) -> None:
    """Give no warning for parameters that are meant to be unknown to the schema."""
    known = known_parameters(method) if is_known(method) else None
    if known is not None and len(known) < MAX_NAMES:
        known.update(names)


def warn_of_unknown(method: str, known: set[str], names: Iterable[str]) -> None:
    """Log a warning for each parameter that a method does not have.

    :param known: what :func:`known_parameters` returned
    :param names: the names of the parameters that are sent
    """
    from ._parameter_names import PARAMETERS

    for name in names:
        if name not in known and len(known) < MAX_NAMES:
            known.add(name)
            meant = did_you_mean(name, PARAMETERS[method].split())
            logger.warning(
                "%s has no parameter %s in VK's schema%s",
                method,
                shown(name),
                meant or "; VK may ignore it",
            )
