"""What happens to calls over real servers and proxies: the scenarios.

Each is an async function that makes calls by a :class:`Run`, and says what must hold
beside the promises that hold for every call.
"""

from __future__ import annotations

import random
import signal
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, final

import anyio
import attrs
from anyio import to_thread

from vkanyio import VK, APIRequest, ConnectionFailedError, OutcomeUnknownError

from ._delay import Delay
from ._errand import Cancelled, Errand
from ._judge import complaint_by_effects
from ._kinds import KINDS
from ._programs import PASSWORD, SLOW, USER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from ._programs import Program, Programs

    Play: TypeAlias = Callable[["Run"], Awaitable[None]]

TOKEN = "vk1.a.the-token-of-the-infrastructure"
RATE = 100.0
"""Calls a second under load."""
FIRST_MOMENTS = 0.02
"""Seconds in which a new client is cancelled."""
AT_ONCE = 20
"""Clients that connect at the same time."""
ONE_WAY = 0.04
"""Seconds of delay in each direction."""
AT_ONCE_SECONDS = 5.0
"""A call after a cancellation takes longer only if its connection is stuck."""
REPEATED = ("read", "message", "post with a key")
"""Kinds of calls that are retried if they are lost."""
LOADED = (*REPEATED, "post")


@final
@attrs.frozen
class Visit:
    """A call with its request.

    :ivar seconds: how long it took
    """

    errand: Errand
    request: APIRequest
    seconds: float = 0.0

    @property
    def has_value(self) -> bool:
        """Whether VK's value came."""
        return not isinstance(self.errand.outcome, BaseException | Cancelled)


@final
class Run:
    """One scenario on one event loop.

    :param size: 1.0 for all calls, less for the short form
    :param first: the number of the first call, since a ledger serves many runs
    :ivar visits: the calls that were made
    :ivar complaints: what was wrong
    :ivar notes: what is worth saying
    :ivar closes_silently: whether the server closes each connection after a response
        without saying so, as tinyproxy does: a write that follows at once may be lost
    """

    def __init__(self, programs: Programs, size: float, first: int) -> None:
        self.programs = programs
        self.visits: list[Visit] = []
        self.complaints: list[str] = []
        self.notes: list[str] = []
        self.closes_silently = False
        self._size = size
        self._first = first
        self.chance = random.Random(f"infrastructure {first}")

    def count(self, calls: int, least: int = 10) -> int:
        """Return a number of calls, smaller in the short form."""
        return max(round(calls * self._size), least)

    def client(self, site: str, *, port: int | None = None, **options: Any) -> VK:
        """Make a client of one of nginx's servers."""
        usual: dict[str, Any] = {
            "limit": 10_000,
            "request_mode": "burst",
            "retry_limit": 8,
            "wait": 0.1,
            "base_url": self.programs.url(site, port),
        }
        return VK(TOKEN, **usual | options)

    async def call(
        self,
        api: VK,
        kind: str | None = None,
        patience: float | None = None,
        **more: str,
    ) -> Visit:
        """Make a call, by default of any kind, and record how it ends.

        :param patience: seconds after which its caller is cancelled
        :param more: parameters in place of the usual ones
        """
        name = kind or self.chance.choice(LOADED)
        mark = f"c{self._first + len(self.visits)}"
        errand = Errand(mark, KINDS[name], patience)
        params = {**errand.kind.params(mark), **more}
        visit = Visit(errand, APIRequest(errand.kind.effect, params))
        place = len(self.visits)
        self.visits.append(visit)
        began = anyio.current_time()
        seconds = float("inf") if patience is None else patience
        try:
            with anyio.move_on_after(seconds) as scope:
                errand.outcome = await api.call_with_request(visit.request)
            if scope.cancelled_caught:
                errand.outcome = Cancelled()
        except Exception as error:
            errand.outcome = error
        visit = attrs.evolve(visit, seconds=anyio.current_time() - began)
        self.visits[place] = visit
        return visit

    async def load(self, api: VK, calls: int, rate: float = RATE) -> None:
        """Make many calls at random moments, some of whose callers are cancelled."""
        async with anyio.create_task_group() as tg:
            for _ in range(calls):
                impatient = self.chance.random() < 0.05
                patience = self.chance.uniform(0, 0.1) if impatient else None
                tg.start_soon(self.call, api, None, patience)
                await anyio.sleep(self.chance.expovariate(rate))

    async def must_work(self, api: VK, kind: str | None = None) -> None:
        """Make a call that must bring its value at once."""
        kinds = REPEATED if self.closes_silently else LOADED
        visit = await self.call(api, kind or self.chance.choice(kinds))
        outcome = visit.errand.outcome
        if not visit.has_value:
            self.complain(f"{visit.errand} does not work afterwards: {outcome!r}")
        elif visit.seconds > AT_ONCE_SECONDS:
            self.complain(f"{visit.errand} took {visit.seconds:.1f} s afterwards")

    def must_have_values(self, kinds: Collection[str] = LOADED) -> None:
        """Require that all calls of these kinds that were not cancelled have values."""
        for visit in self.visits:
            outcome = visit.errand.outcome
            is_asked = visit.errand.kind.name in kinds
            if is_asked and not visit.has_value and not isinstance(outcome, Cancelled):
                self.complain(f"{visit.errand} has no value: {outcome!r}")

    def complain(self, text: str) -> None:
        """Record that something is wrong."""
        self.complaints.append(text)

    def effects(self) -> dict[str, list[int]]:
        """Return the numbers of each call that the ledger has."""
        found: dict[str, list[int]] = {}
        for deed in self.programs.deeds():
            found.setdefault(deed.mark, []).append(deed.number)
        return found

    def judge(self) -> None:
        """Compare every call with the ledger."""
        effects = self.effects()
        for visit in self.visits:
            errand, done = visit.errand, effects.get(visit.errand.mark, [])
            expected: Any = done[0] if done else None
            if errand.kind.reads:
                expected = [{"id": int(errand.mark[1:])}]
            wrong = complaint_by_effects(errand, len(done), expected)
            if wrong is not None:
                self.complain(wrong)
            if done and not visit.request.maybe_carried_out:
                self.complain(f"{errand} was carried out, and says that it was not")


async def short_lived_connections(run: Run) -> None:
    """nginx closes each connection after five requests, and says so."""
    async with run.client("five requests") as api:
        await run.load(api, run.count(300))
        for _ in range(run.count(30)):
            await run.call(api)
    run.must_have_values()


async def impatient_server(run: Run) -> None:
    """nginx closes a connection that is idle for 1 s, at the end of a long way."""
    delay = Delay(run.programs.port("one second"), ONE_WAY)

    async def call_slowly(port: int) -> None:
        async with run.client("one second", port=port) as api:
            for _ in range(run.count(12, least=2)):
                await run.call(api)
                # Most of the time, the next request is under way when nginx closes.
                await anyio.sleep(run.chance.triangular(0.3, 1.3, 0.96))

    async with delay.listening() as port, anyio.create_task_group() as tg:
        for _ in range(run.count(25)):
            tg.start_soon(call_slowly, port)
            await anyio.sleep(0.02)
    run.must_have_values(REPEATED)


async def reloads(run: Run) -> None:
    """nginx reloads its configuration several times a second."""

    async def reload_often() -> None:
        while True:
            await anyio.sleep(0.3)
            run.programs.nginx.signal(signal.SIGHUP)

    async with run.client("https") as api:
        async with anyio.create_task_group() as tg:
            tg.start_soon(reload_often)
            await run.load(api, run.count(400, least=60))
            tg.cancel_scope.cancel()
        await anyio.sleep(0.5)  # until the last reload is over
        await run.must_work(api)
    run.must_have_values(REPEATED)


async def dead_upstream(run: Run) -> None:
    """The simulator is killed, so that nginx answers 502, and comes back."""

    async def die_and_come_back() -> None:
        await anyio.sleep(0.2)
        await to_thread.run_sync(run.programs.upstream.kill)
        await anyio.sleep(0.5)
        await to_thread.run_sync(run.programs.upstream.start)

    async with run.client("https", wait=0.2) as api:
        async with anyio.create_task_group() as tg:
            tg.start_soon(die_and_come_back)
            await run.load(api, run.count(200, least=60))
        await run.must_work(api)
    run.must_have_values(("read",))


async def rate_limit(run: Run, status: int) -> None:
    """nginx lets 20 requests a second through, and refuses others with a status."""
    async with run.client(f"limit {status}") as api:
        await run.load(api, run.count(60, least=15), rate=50)
        await anyio.sleep(1)
        await run.must_work(api)
    refused = sum(api.statistics().retries.values())
    run.notes.append(f"{refused} retries")
    without = sum(
        not visit.has_value and not isinstance(visit.errand.outcome, Cancelled)
        for visit in run.visits
    )
    if status == 429 and without:
        run.notes.append(f"429 ended {without} calls")


async def compressed(run: Run) -> None:
    """nginx compresses responses."""
    before = run.programs.compressed()
    async with run.client("gzip") as api:
        for _ in range(run.count(50)):
            await run.call(api)
    run.must_have_values()
    await anyio.sleep(0.1)  # nginx writes its log when a request is over
    if run.programs.compressed() - before < len(run.visits):
        run.complain("responses were not compressed")


async def too_large_requests(run: Run) -> None:
    """nginx refuses bodies above 1 KB with 413, and closes the connection."""
    refused: list[Visit] = []
    async with run.client("small bodies") as api:
        for size in (5_000, 300_000) * run.count(8, least=3):
            refused.append(await run.call(api, "post", message="x" * size))
            await run.must_work(api)
    if any(visit.has_value for visit in refused):
        run.complain("a body that is too large was not refused")
    if run.effects().keys() & {visit.errand.mark for visit in refused}:
        run.complain("a refused call is in the ledger")


async def slow_responses(run: Run) -> None:
    """The response takes longer than the client's timeout."""
    async with (
        run.client("slow", timeout=SLOW / 3, retry_limit=1) as api,
        anyio.create_task_group() as tg,
    ):
        for number in range(run.count(30)):
            tg.start_soon(run.call, api, ("read", "post")[number % 2])
    for visit in run.visits:
        outcome = visit.errand.outcome
        expected = TimeoutError if visit.errand.kind.reads else OutcomeUnknownError
        if not isinstance(outcome, expected):
            run.complain(f"{visit.errand} does not end by its timeout: {outcome!r}")
    await anyio.sleep(SLOW)  # until the simulator is done, for the ledger


async def cancelled_at_first(run: Run, proxy: str | None, site: str) -> None:
    """Each of 200 clients is cancelled in its first 20 ms, and is used then."""
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def use_after_cancellation() -> None:
        async with limiter, _client(run, proxy, site, retry_limit=1) as api:
            patience = run.chance.uniform(0, FIRST_MOMENTS)
            await run.call(api, patience=patience)
            await run.must_work(api)
            await run.must_work(api)

    async with anyio.create_task_group() as tg:
        for _ in range(run.count(200, least=20)):
            tg.start_soon(use_after_cancellation)


async def logins(run: Run, proxy: str, site: str) -> None:
    """Without a login and with a right one calls work; others are refused at once."""
    with_login = f"{proxy} login"
    for name, login in ((proxy, ""), (with_login, f"{USER}:{PASSWORD}@")):
        async with _client(run, name, site, login=login) as api:
            for _ in range(run.count(20)):
                await run.must_work(api)
    for login in (f"{USER}:wrong@", ""):
        async with _client(run, with_login, site, login=login) as api:
            for _ in range(run.count(4, least=2)):
                visit = await run.call(api)
                _check_refusal(run, visit, run.programs.proxies[with_login].port)
        if api.statistics().retries:
            run.complain(f"the refused login {login!r} was tried again")


def _check_refusal(run: Run, visit: Visit, port: int) -> None:
    error = visit.errand.outcome
    if visit.request.maybe_carried_out:
        run.complain(f"{visit.errand} is in doubt after a refused login: {error!r}")
    if not isinstance(error, ConnectionFailedError) or f":{port}" not in str(error):
        run.complain(f"{visit.errand}, refused, does not name the proxy: {error!r}")


async def killed_under_load(run: Run, proxy: str, site: str) -> None:
    """The proxy is killed and restarted several times under load."""
    killed = run.programs.proxies[proxy]
    async with _client(run, proxy, site) as api:
        async with anyio.create_task_group() as tg:
            tg.start_soon(_kill_often, killed, 0.4)
            await run.load(api, run.count(200, least=60))
            tg.cancel_scope.cancel()
        await run.must_work(api)
    run.must_have_values(REPEATED)


async def killed_in_handshakes(run: Run, proxy: str, site: str) -> None:
    """The proxy is killed while many clients connect, and comes back."""
    killed = run.programs.proxies[proxy]

    async def connect_and_call(is_back: anyio.Event) -> None:
        async with _client(run, proxy, site) as api:
            await run.call(api)
            await is_back.wait()
            await run.must_work(api)

    for _ in range(run.count(10, least=3)):
        is_back = anyio.Event()
        async with anyio.create_task_group() as tg:
            for _ in range(AT_ONCE // 2):
                tg.start_soon(connect_and_call, is_back)
            await anyio.sleep(run.chance.uniform(0.005, 0.05))
            await _restart(killed)
            is_back.set()
    run.must_have_values(REPEATED)


def _client(
    run: Run, proxy: str | None, site: str, *, login: str = "", **options: Any
) -> VK:
    if proxy is not None:
        run.closes_silently = site == "http"
        scheme = "socks5" if proxy.startswith("microsocks") else "http"
        port = run.programs.proxies[proxy].port
        options["proxy"] = f"{scheme}://{login}127.0.0.1:{port}"
    return run.client(site, **options)


async def _restart(killed: Program) -> None:
    killed.kill()
    with anyio.CancelScope(shield=True):
        await to_thread.run_sync(killed.start)


async def _kill_often(killed: Program, seconds: float) -> None:
    while True:
        await anyio.sleep(seconds)
        await _restart(killed)


def _by_proxies() -> dict[str, Play]:
    """Return the scenarios of each kind of proxy."""
    found: dict[str, Play] = {}
    ways = {
        "tinyproxy, CONNECT": ("tinyproxy", "https"),
        "tinyproxy, plain": ("tinyproxy", "http"),
        "microsocks": ("microsocks", "https"),
    }
    for name, (proxy, site) in ways.items():
        for title, play in {
            "logins": logins,
            "killed under load": killed_under_load,
            "killed in handshakes": killed_in_handshakes,
            "cancelled in 20 ms": cancelled_at_first,
        }.items():
            found[f"{name}: {title}"] = partial(play, proxy=proxy, site=site)
    return found


SCENARIOS: dict[str, Play] = {
    "five requests a connection": short_lived_connections,
    "keep-alive of 1 s, 80 ms away": impatient_server,
    "reloads under load": reloads,
    "upstream dead, then back": dead_upstream,
    "limit_req with 429": partial(rate_limit, status=429),
    "limit_req with 503": partial(rate_limit, status=503),
    "gzip": compressed,
    "413": too_large_requests,
    "slow responses": slow_responses,
    "TLS: cancelled in 20 ms": partial(cancelled_at_first, proxy=None, site="https"),
    **_by_proxies(),
}
"""What is tried; a name that begins with a proxy's needs that proxy."""
