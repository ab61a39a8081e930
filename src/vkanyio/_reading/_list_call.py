"""The call of a method that returns a list in pages."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, final

from .._encoding import without_secrets
from .._errors import InvalidResponseError
from .._page_facts import NOT_PAGED, PAGES
from .._request import APIRequest
from .._similar import did_you_mean
from .._typeguards import is_dict, is_list
from .._wire_checks import check_method_name, shown
from ._page import PageContent, find, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._encoding import Encoded
    from ._page import PageFacts

CURSOR = "start_from"


@final
class ListCall:
    """The call of a method, page by page.

    :param method: VK's name of the method
    :param params: its parameters, by VK's names; those for pages say where to begin,
        and how large a page is
    :raises TypeError: for a parameter that cannot be encoded, naming it
    :raises ValueError: for a method that has no pages, or a parameter that is not
        allowed, naming it
    :ivar facts: how the method returns pages
    :ivar start: where the first page begins: an offset, or a cursor
    :ivar digest: identifies the method's parameters
    """

    def __init__(self, method: str, params: Mapping[str, Any]) -> None:
        check_method_name(method)
        self.method: str = method
        self.facts: PageFacts = _facts_of(method)
        request = APIRequest(method, params)
        self._params: dict[str, Encoded] = dict(request.params)
        self._token = params.get("access_token")
        self._check_one_list()
        if self.facts.order is not None:
            self._params.setdefault(*self.facts.order)
        self.start: int | str = self._take_start()
        limit, most = self.facts.limit, self.facts.size
        given = self._take_whole(limit, 1, most, f" (a page of {method})")
        self._size_given: int | None = given
        named = without_secrets(self._params).items()
        text = json.dumps([sorted((n, str(v)) for n, v in named), self.start])
        self.digest: str = blake2b(text.encode(), digest_size=6).hexdigest()

    def size(self, max_items: int | None) -> int:
        """Return how many items to ask for at once.

        :param max_items: how many are wanted at all
        """
        if self._size_given is not None or max_items is None:
            return self._size_given or self.facts.size
        return min(max_items, self.facts.size)

    def request(self, place: int | str, size: int) -> APIRequest:
        """Return the request for a page."""
        params: dict[str, Any] = {**self._params, self.facts.limit: size}
        if place:
            params[CURSOR if self.facts.by_cursor else "offset"] = place
        if self._token is not None:
            params["access_token"] = self._token
        return APIRequest(self.method, params)

    def read(self, value: Any) -> tuple[list[Any], PageContent]:
        """Return the items of a page, and what the rules need to know about it.

        :raises InvalidResponseError: if the value has no list
        """
        facts = self.facts
        items: Any = find(value, facts.items) if facts.items else value
        if not value or (is_dict(value) and items is None):
            items = []  # VK leaves out a list that is empty, or returns [] for {}
        if not is_list(items):
            where = f"no list {facts.items!r}" if facts.items else "no list"
            raise InvalidResponseError(
                f"{self.method} returned {where}",
                method=self.method,
                status=200,
                body=json.dumps(value)[:200].encode(),
            )
        total = find(value, facts.total) if facts.total else None
        cursor = find(value, "next_from")
        page = PageContent(
            [key_of(item, facts.key) for item in items],
            total if isinstance(total, int) else None,
            cursor if isinstance(cursor, str) else None,
        )
        return items, page

    def _check_one_list(self) -> None:
        for name, why in self.facts.needs.items():
            if not self._is_set(name):
                message = f"{self.method} is collected only with {name}=True: {why}"
                raise ValueError(message)
        for name, why in self.facts.excludes.items():
            if self._is_set(name):
                message = f"{self.method} cannot be collected with {name}: {why}"
                raise ValueError(message)

    def _is_set(self, name: str) -> bool:
        return self._params.get(name) not in (None, 0, "", "0")

    def _take_start(self) -> int | str:
        if not self.facts.by_cursor:
            return self._take_whole("offset", 0, None) or 0
        if "offset" in self._params:
            message = f"{self.method} is read with {CURSOR}: leave out `offset`"
            raise ValueError(message)
        return str(self._params.pop(CURSOR, ""))

    def _take_whole(
        self, name: str, least: int, most: int | None, of: str = ""
    ) -> int | None:
        """Take a whole number out of the parameters."""
        value = self._params.pop(name, None)
        if value is None:
            return None
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            bounds = f"at least {least}" if most is None else f"from {least} to {most}"
            message = f"{name} must be a whole number {bounds}{of}, got {shown(value)}"
            raise ValueError(message)
        return number


def _facts_of(method: str) -> PageFacts:
    """Return how a method returns pages.

    :raises ValueError: if it does not, or nothing is known about it
    """
    if method in PAGES:
        return PAGES[method]
    from .._method_facts import METHODS

    if method in NOT_PAGED:
        why = NOT_PAGED[method]
    elif method in METHODS:
        why = f"it does not return a list in pages: use `await api.{method}(...)`"
    else:
        meant = did_you_mean(method, PAGES)
        why = f"VK's schema has no such method{meant}"
    message = f"{method} cannot be collected: {why}"
    raise ValueError(message)
