"""The libraries: how each is run, and how it does a workload."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs
from install import NODE, PLACE, PYTHON, python_of

from peers.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from peers.workloads import Workload

AS_WITH_HTTPX = {
    workload.name: "as with httpx: only the cost of a call is measured"
    for workload in WORKLOADS
    if workload.is_limited and workload.shape != "idle"
}
DRIVERS = Path(__file__).with_name("drivers")


@attrs.frozen(kw_only=True)
class Library:
    """A library in a separate environment.

    :param name: its name on the command line and in the table
    :param command: runs its driver
    :param package: what is installed
    :param ways: how it does each kind of work that it can do
    :param skips: workloads that it could do but skips, and why
    :param lacks: why it cannot do a kind of work
    """

    name: str
    command: list[str]
    package: str
    ways: Mapping[str, str]
    lacks: Mapping[str, str] = {}
    skips: Mapping[str, str] = {}
    variant: str = ""
    environment: Mapping[str, str] = {}

    def cannot(self, workload: Workload) -> str:
        """Return why it cannot do a workload; an empty string if it can."""
        if workload.name in self.skips:
            return self.skips[workload.name]
        if workload.needs not in self.ways:
            return self.lacks.get(workload.needs, "")
        return ""


def _python(name: str) -> list[str]:
    return [str(python_of(name)), str(DRIVERS / f"with_{name}.py")]


def _bare(name: str) -> Library:
    return Library(
        name=name,
        variant=name,
        command=[sys.executable, str(DRIVERS / "with_httpx.py")],
        package=f"{name} alone, without a client of VK",
        ways={"plain": "one request at a time; neither limit nor packing"},
        skips=dict.fromkeys(
            ["P1", "faulty-reads", "faulty-posts", "share"],
            "it has no limit, and does not retry",
        ),
    )


def _vkanyio(variant: str) -> Library:
    return Library(
        name=f"vkanyio-{variant}",
        variant=variant,
        command=[sys.executable, str(DRIVERS / "with_vkanyio.py")],
        package="vkanyio, this working copy",
        ways={
            "plain": 'request_mode="burst"',
            "spaced": 'request_mode="sequential"',
            "packed": 'mode="parallel"',
            "tokens": "`access_token` in the call",
            "lists": 'mode="parallel", evenly spaced, `api.collect(...).all()`',
        },
    )


MANY_CALLS = dict.fromkeys(
    ["P4", "faulty-packed", "packed-10000", "packed-100000"],
    "`gather` is for a few calls",
)


def _without_tasks(
    way: str, call: str, skips: Mapping[str, str] = MappingProxyType({})
) -> list[Library]:
    """Return vkanyio with many calls made in another way than by a task for each."""
    backends = ["asyncio", "trio", *(["uvloop"] if find_spec("uvloop") else [])]
    return [
        attrs.evolve(
            _vkanyio(f"{backend}/{way}"),
            ways={"packed": f'mode="parallel", and `{call}`'},
            skips=skips,
        )
        for backend in backends
    ]


def libraries() -> list[Library]:
    """Return the libraries that can be run here, those installed in ``.foreign/``."""
    ours = [_vkanyio("asyncio"), _vkanyio("trio")]
    if find_spec("uvloop"):
        ours.append(_vkanyio("uvloop"))
    ours.append(attrs.evolve(_vkanyio("httpx2"), skips=AS_WITH_HTTPX))
    ours += _without_tasks("stream", "api.stream(calls)")
    ours += _without_tasks("gather", "api.gather(requests)", MANY_CALLS)
    peers = [peer for peer in _peers() if _is_there(peer)]
    return [*ours, *peers, _bare("httpx"), _bare("httpx2")]


def _is_there(peer: Library) -> bool:
    name = peer.name.replace("-", "_")
    if (PLACE / name / peer.package).exists():
        return True
    print(f"{peer.package} is not installed")
    return False


def _peers() -> list[Library]:
    no_spacing = {"spaced": "no even spacing"}
    return [
        Library(
            name="vk-io",
            command=[shutil.which("node") or "node", str(DRIVERS / "with_vk_io.cjs")],
            environment={"NODE_PATH": str(PLACE / "vk_io" / "node_modules")},
            package=NODE["vk_io"],
            ways={
                "plain": "apiRequestMode: 'burst'",
                "spaced": "apiRequestMode: 'sequential'",
                "packed": "apiMode: 'parallel'",
                "tokens": "`access_token` in the call",
                "lists": "apiRequestMode: 'sequential', which is quicker here than"
                " 'burst'; `createCollectIterator`, `parallelRequests: 25`",
            },
        ),
        Library(
            name="vkbottle",
            command=_python("vkbottle"),
            package=PYTHON["vkbottle"],
            ways={
                "plain": "it has no limit, so its calls are made one at a time:"
                " `request_many`, or `api.users.get` where that would stop at an error",
                "packed": "`@vkscript` of 25 calls, and `request_many`",
                "lists": "it has nothing for lists: `@vkscript` of 25 pages, which tell"
                " how many there are, and of the others; this keeps to the limit with"
                " three requests only",
            },
            lacks={**no_spacing, "tokens": "a client for each token"},
        ),
        Library(
            name="vk_api",
            command=_python("vk_api"),
            package=PYTHON["vk_api"],
            ways={
                "plain": "a lock around each request, so one at a time;"
                " `RPS_DELAY` = 0 where the latency alone keeps to the limit",
                "packed": "`VkRequestsPool`",
                "tokens": "`access_token` in the call, a thread for each caller",
                "lists": "`VkTools.get_all`, and `RPS_DELAY` of 1/3 s",
            },
            lacks=no_spacing,
        ),
        Library(
            name="aiovk",
            command=_python("aiovk"),
            package=PYTHON["aiovk"],
            ways={
                "plain": "`LimitRateDriverMixin`, `period=1.05`: with 1, its default,"
                " up to half of the calls exceed the limit, and fail",
                "packed": "`AsyncVkExecuteRequestPool` with the same",
                "lists": "it has nothing for lists: a pool of 25 pages, which tell how"
                " many there are, and a pool of the others; a pool does not know what"
                " another sent, so this keeps to the limit with three requests only",
            },
            lacks={**no_spacing, "tokens": "a session for each token"},
            skips={"packed-100000": "its pool compares each call with all before it"},
        ),
    ]
