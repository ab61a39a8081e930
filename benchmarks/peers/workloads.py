"""What is measured: each workload is a program that each library does its own way."""

from __future__ import annotations

from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Workload:
    """Work for a client, and the server that it has it done by.

    :param name: what it is called on the command line and in the table
    :param title: what it is, in words
    :param shape: "all" starts all calls at once, "idle" makes one now and then, "share"
        has one caller make all of them, and another ten a moment later
    :param needs: what a library must have for it
    :param calls: how many calls
    :param limit: requests a second: the option of the client
    :param is_limited: whether the server keeps the client to it
    :param latency: seconds that the server takes to answer
    :param packed: whether calls share requests, where the library can do that
    :param spaced: whether requests start evenly spaced, where the library can do that
    :param method: what is called
    :param faults: the share of requests that fail
    :param second_token: whether the second caller brings a token of its own
    :param ideal: seconds that a client without cost would need
    :param rounds: how often it is done, so that other work of the machine does not
        show where it is the processor that counts
    """

    name: str
    title: str
    needs: Literal["plain", "spaced", "packed", "tokens"]
    calls: int
    limit: int = 20
    is_limited: bool = True
    latency: float = 0.1
    shape: Literal["all", "idle", "share"] = "all"
    packed: bool = False
    spaced: bool = False
    method: Literal["users.get", "wall.post"] = "users.get"
    faults: float = 0.0
    second_token: bool = False
    ideal: float | None = None
    rounds: int = 1


def _cost(calls: int, *, packed: bool) -> Workload:
    """Work whose time is the client's own: no latency, and a limit out of reach."""
    return Workload(
        name=f"{'packed' if packed else 'plain'}-{calls}",
        title=f"{calls:,} calls, {'packed' if packed else 'one in a request'}",
        needs="packed" if packed else "plain",
        calls=calls,
        limit=1000,
        is_limited=False,
        latency=0,
        packed=packed,
        spaced=True,
        rounds=3 if calls == 1_000 or (packed and calls == 10_000) else 1,
    )


def _faulty(
    name: str, title: str, method: Literal["users.get", "wall.post"]
) -> Workload:
    return Workload(
        name=name,
        title=title,
        needs="plain",
        calls=300,
        limit=100,
        latency=0.02,
        faults=0.05,
        method=method,
    )


def _share(name: str, title: str, *, second_token: bool) -> Workload:
    return Workload(
        name=name,
        title=title,
        needs="tokens" if second_token else "plain",
        shape="share",
        calls=500,
        limit=100,
        latency=0.02,
        second_token=second_token,
    )


WORKLOADS = [
    Workload(
        name="P1",
        title="200 calls at limit 20, in bursts",
        needs="plain",
        calls=200,
        ideal=9.1,
    ),
    Workload(
        name="P2",
        title="200 calls at limit 20, evenly spaced",
        needs="spaced",
        calls=200,
        spaced=True,
        ideal=10.05,
    ),
    Workload(
        name="P3",
        title="1,000 calls at limit 20, packed",
        needs="packed",
        calls=1_000,
        packed=True,
        ideal=1.1,
        rounds=3,
    ),
    Workload(
        name="P4",
        title="10,000 calls at limit 20, packed",
        needs="packed",
        calls=10_000,
        packed=True,
        ideal=19.1,
    ),
    Workload(
        name="idle",
        title="a single call of an idle client",
        needs="plain",
        shape="idle",
        calls=30,
        latency=0,
        spaced=True,
        rounds=3,
    ),
    _faulty("faulty-reads", "300 reads, 5 % of requests faulty", "users.get"),
    _faulty("faulty-posts", "300 posts, 5 % of requests faulty", "wall.post"),
    Workload(
        name="faulty-packed",
        title="4,000 posts, packed, 5 % of requests faulty",
        needs="packed",
        calls=4_000,
        limit=100,
        latency=0.02,
        packed=True,
        method="wall.post",
        faults=0.05,
    ),
    _share("share", "500 calls wait, and ten of another caller", second_token=False),
    _share("share-tokens", "the same, and the ten have a token", second_token=True),
    _cost(1_000, packed=False),
    _cost(10_000, packed=False),
    _cost(1_000, packed=True),
    _cost(10_000, packed=True),
    _cost(100_000, packed=True),
]
