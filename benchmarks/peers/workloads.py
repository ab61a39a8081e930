"""The workloads; each library does them in its own way."""

from __future__ import annotations

from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Workload:
    """Work for a client, and the settings of the server.

    :param name: its name on the command line and in the table
    :param title: its description
    :param shape: "all" starts all calls at once; "idle" makes single calls with pauses;
        with "share" one caller makes all calls, and another ten a moment later; "list"
        reads a list whole
    :param needs: the feature that a library needs for it
    :param calls: number of calls, or of items in the list
    :param limit: requests per second, as the option of the client
    :param is_limited: whether the server enforces the limit
    :param latency: seconds until the server responds
    :param packed: whether calls share requests, if the library supports that
    :param spaced: whether requests are evenly spaced, if the library supports that
    :param method: the method to call
    :param faults: the share of requests that fail
    :param second_token: whether the second caller has a separate token
    :param ideal: seconds that an ideal client would need
    :param rounds: number of rounds, to reduce noise where processor time counts
    """

    name: str
    title: str
    needs: Literal["plain", "spaced", "packed", "tokens", "lists"]
    calls: int
    limit: int = 20
    is_limited: bool = True
    latency: float = 0.1
    shape: Literal["all", "idle", "share", "list"] = "all"
    packed: bool = False
    spaced: bool = False
    method: Literal["users.get", "wall.post", "groups.getMembers"] = "users.get"
    faults: float = 0.0
    second_token: bool = False
    ideal: float | None = None
    rounds: int = 1


def _cost(calls: int, *, packed: bool) -> Workload:
    """Return work that is bound by the client: no latency, and a very high limit."""
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
    # Sixty pages are three requests: the first tells how long the list is, and the
    # others start together, a round trip later. Even spacing serves vk-io best: in
    # bursts, it pauses for longer after a request that was alone in its queue.
    Workload(
        name="P10",
        title="60,000 members of a community at limit 3, latency 0.2 s, read whole",
        needs="lists",
        shape="list",
        method="groups.getMembers",
        calls=60_000,
        limit=3,
        latency=0.2,
        packed=True,
        spaced=True,
        ideal=0.4,
        rounds=3,
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
