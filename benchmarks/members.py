"""A long list for ``server.py``: ``groups.getMembers``, plain and in scripts.

Scripts are not run. Those that this module reads are an array of calls, the loop over
offsets that vkbottle translates, the loop of ``get_all`` of vk_api, and the loop of
``createCollectIterator`` of vk-io: the few numbers in a loop determine its value.
The list does not change between two pages.
"""

from __future__ import annotations

import re
from typing import TypeAlias

METHOD = b"groups.getMembers"
MEMBERS = 60_000
MAX_COUNT = 1000
MAX_CALLS = 25
"""In one ``execute``."""

IDS = [b"%d" % number for number in range(1, MEMBERS + 1)]
PAGE = b'{"count":%d,"items":[%s]}'

# In a form, in JSON and in VKScript, where a space may be encoded as a plus.
NUMBER = re.compile(
    rb'\b(offset|count|received|total|parallelRequests)"?[ +]*[=:][ +]*"?(\d+)'
)
PACKED = re.compile(rb"API\.groups\.getMembers\((\{[^}]*\})\)")
VKBOTTLE = re.compile(
    rb"offsets=\[([^\]]*)\].*API\.groups\.getMembers\((\{[^}]*\})\)", re.DOTALL
)
VK_API = re.compile(
    rb"params[ +]=[ +](\{[^}]*\}),calls[ +]=[ +]0,.*?[^.]\b(offset[ +]=[ +]\d+),"
    rb".*API\.groups\.getMembers\(params\)",
    re.DOTALL,
)
VK_IO = re.compile(
    rb"params[ +]=[ +](\{[^}]*\});.*received[ +]=[ +]parseInt\(Args\.received\)"
    rb".*API\.groups\.getMembers\(params\)",
    re.DOTALL,
)

Pages: TypeAlias = "list[tuple[bytes, int]]"
"""The calls for pages: the method, and the first member of the page, from 1 on."""


def read(body: bytes, code: bytes) -> tuple[Pages, bytes] | None:
    """Return the pages that a request reads, and its value.

    :param body: the form
    :param code: the script of an ``execute``, empty for a plain request
    :return: ``None`` if the script cannot be parsed
    """
    if not code:
        offset, count = _page(body)
        return _pages([offset]), _members(offset, count)
    if loop := VKBOTTLE.search(code):
        _, count = _page(loop[2])
        return _array([(int(offset), count) for offset in loop[1].split(b",")])
    packed: list[bytes] = PACKED.findall(code)
    if packed and len(packed) == code.count(b"API."):
        return _array([_page(params) for params in packed])
    if loop := VK_API.search(code):
        return _vk_api(begin=_page(loop[2])[0], count=_page(loop[1])[1])
    if loop := VK_IO.search(code):
        return _vk_io(_numbers(body), count=_page(loop[1])[1])
    return None


def _array(places: list[tuple[int, int]]) -> tuple[Pages, bytes]:
    """Return an array of pages."""
    value = b",".join(_members(*place) for place in places)
    return _pages([offset for offset, _ in places]), b"[%s]" % value


def _vk_api(begin: int, count: int) -> tuple[Pages, bytes]:
    """Return what a script of vk_api reads: as many pages as it may."""
    offsets = list(range(begin, MEMBERS, count))[:MAX_CALLS] or [begin]
    end = offsets[-1] + count
    value = b'{"count":%d,"items":[%s],"offset":%d,"more":%s}' % (
        MEMBERS,
        _items(begin, end),
        end,
        b"true" if end < MEMBERS else b"false",
    )
    return _pages(offsets), value


def _vk_io(args: dict[bytes, int], count: int) -> tuple[Pages, bytes]:
    """Return what the script of vk-io reads.

    :param args: where it goes on, and what was received before
    """
    begin, received = args.get(b"offset", 0), args.get(b"received", 0)
    total = min(args.get(b"total", 0) or MEMBERS, MEMBERS)
    calls = min(args[b"parallelRequests"], -(-(total - received) // count))
    end = begin + calls * count
    value = b'{"count":%d,"items":[%s],"profiles":[],"groups":[]}' % (
        total,
        _items(begin, min(end, begin + total)),
    )
    return _pages(range(begin, end, count)), value


def _numbers(text: bytes) -> dict[bytes, int]:
    return {name: int(number) for name, number in NUMBER.findall(text)}


def _page(text: bytes) -> tuple[int, int]:
    """Return offset and size of a page."""
    numbers = _numbers(text)
    return numbers.get(b"offset", 0), min(numbers.get(b"count", MAX_COUNT), MAX_COUNT)


def _pages(offsets: list[int] | range) -> Pages:
    return [(METHOD, offset + 1) for offset in offsets]


def _items(begin: int, end: int) -> bytes:
    return b",".join(IDS[begin:end])


def _members(offset: int, count: int) -> bytes:
    return PAGE % (MEMBERS, _items(offset, offset + count))
