"""Make calls over real sockets to a server that is killed every few seconds.

::

    uv run python -m proof.sockets

The simulator runs in a separate process, which is killed and restarted on the same
port; a file keeps what it has done. One client in each mode talks to it, all but one
through a relay that resets connections in the middle of requests and responses, and
stalls. There is a run for each route: plain TCP, TLS, and TLS by an HTTP or a SOCKS
proxy; the relay is behind the proxy, and does not see into TLS. Every call is judged by
the file. Time is real, so a seed does not repeat a run exactly.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, final

import anyio
import click
from anyio.streams.buffered import BufferedByteReceiveStream

from vkanyio import VK

from ._clock import BACKENDS
from ._errand import Errand
from ._judge import complaint_by_effects
from ._kinds import KINDS, number_of
from ._ports import free_port
from ._proxies import CERTIFICATE, http_proxy, socks_proxy, tls_proxy
from ._relay import Relay
from ._server import LIMIT, read_deeds, read_faults
from ._tally import Broken, Tally, report
from .soak import MODES, own_tasks

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from anyio.abc import Process, TaskStatus

    from .soak import Mode

ROOT = Path(__file__).parent.parent
PROXIES = {"CONNECT": http_proxy, "SOCKS": socks_proxy}
ROUTES = ("plain", "TLS", *PROXIES)
"""The ways to the server; by a proxy, too, it is TLS."""
CALLS = 500
"""Number of calls of each client."""
LIFE = 3.0
"""Seconds until a server is killed."""
PAUSE = 0.3
"""Seconds without a server."""
TIMEOUT = 3.0
STALL = 4.0
RATE = 0.01
"""Probability of each kind of fault in the relay, for each piece of data."""
PATIENCE = 120.0
"""Seconds after which a call without an outcome counts as lost."""
START_SECONDS = 60.0


@final
class Server:
    """The process of the simulator, and its successor.

    :ivar kills: number of processes killed
    """

    def __init__(self, backend: str, seed: int, life: float, path: Path) -> None:
        self.port = free_port()
        self.kills = 0
        self._backend = backend
        self._seed = seed
        self._life = life
        self._path = path

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run for as long as the block lasts, with kills and restarts."""
        async with AsyncExitStack() as processes, anyio.create_task_group() as tg:
            await tg.start(self._run, processes)
            yield
            tg.cancel_scope.cancel()

    async def _run(
        self, processes: AsyncExitStack, *, task_status: TaskStatus[None]
    ) -> None:
        coming = await self._spawn(processes)
        while True:
            process = coming
            assert process.stdin is not None
            assert process.stdout is not None
            with anyio.fail_after(START_SECONDS):
                await process.stdin.send(b"!")
                output = BufferedByteReceiveStream(process.stdout)
                await output.receive_until(b"\n", 200)
            if not self.kills:
                task_status.started()
            coming = await self._spawn(processes)
            await anyio.sleep(self._life)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            self.kills += 1
            await anyio.sleep(PAUSE)

    async def _spawn(self, processes: AsyncExitStack) -> Process:
        """Start a process that waits for its turn to listen."""
        command = [sys.executable, "-m", "proof._server", "--port", str(self.port)]
        command += ["--backend", self._backend, "--seed", str(self._seed + self.kills)]
        process = await anyio.open_process(
            [*command, str(self._path)], stderr=None, cwd=ROOT
        )
        processes.push_async_callback(_end, process)
        return process


async def _end(process: Process) -> None:
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            process.kill()
        await process.aclose()


@final
class Sockets:
    """A run on one event loop, by one route.

    :ivar tally: the figures
    """

    def __init__(
        self, calls: int, seed: int, life: float, path: Path, route: str
    ) -> None:
        self.tally = Tally()
        self._route = route
        self._calls = calls
        self._seed = seed
        self._life = life
        self._path = path
        self._errands: dict[Mode, list[Errand]] = {mode: [] for mode in MODES}

    async def run(self, backend: str) -> None:
        """Make the calls, and judge them."""
        path, began, busy = self._path, time.perf_counter(), time.process_time()
        path.touch()
        server = Server(backend, self._seed, self._life, path)
        before = _open_files()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(server.running())
            port, options = server.port, dict[str, Any]()
            if self._route != "plain":
                port = await stack.enter_async_context(tls_proxy(port))
            relay = Relay(port, self._seed, RATE, STALL)
            bad_port = await stack.enter_async_context(relay.listening())
            if self._route in PROXIES:
                proxy = PROXIES[self._route]()
                options["proxy"] = await stack.enter_async_context(proxy)
            tg = await stack.enter_async_context(anyio.create_task_group())
            for mode in MODES:
                chosen = port if mode == "sequential" else bad_port
                options["base_url"] = self._url(chosen)
                tg.start_soon(self._use_client, mode, {**options})
        tally = self.tally
        tally.seconds = tally.seeming_seconds = time.perf_counter() - began
        tally.busy_seconds = time.process_time() - busy
        tally.at_rest = f"{before} files", f"{_open_files()} files"
        tally.faults = Counter(read_faults(path))
        tally.faults["server killed"] = server.kills
        tally.faults["reset in a response"] = relay.resets
        tally.faults["reset in a request"] = relay.cuts
        tally.faults["stalled"] = relay.stalls
        self._judge()
        if _open_files() > before:
            raise Broken(f"{_open_files() - before} files or sockets are still open")
        if tasks := own_tasks():
            raise Broken(f"tasks are left: {tasks}")

    def _url(self, port: int) -> str:
        scheme = "http" if self._route == "plain" else "https"
        return f"{scheme}://127.0.0.1:{port}/method"

    async def _use_client(self, mode: Mode, options: dict[str, Any]) -> None:
        chance = random.Random(f"sockets {self._seed} {mode}")
        errands, tally = self._errands[mode], self.tally
        with anyio.CancelScope() as scope:
            async with (
                VK(
                    f"vk1.a.the-token-of-{mode}",
                    mode=mode,
                    limit=LIMIT,
                    request_mode="burst",
                    execute_methods=["messages.send", "wall.post"],
                    retry_limit=8,
                    wait=0.1,
                    timeout=TIMEOUT,
                    max_connections=20,
                    **options,
                ) as api,
                anyio.create_task_group() as tg,
            ):
                for _ in range(self._calls):
                    errand = self._next_errand(mode, chance)
                    errands.append(errand)
                    tg.start_soon(errand.run, api)
                    await anyio.sleep(chance.expovariate(LIMIT * 0.7))
                scope.deadline = anyio.current_time() + PATIENCE
            tally.requests += api.statistics().sent
            tally.packed += sum(
                n * k for n, k in api.statistics().batches.items() if n > 1
            )

    def _next_errand(self, mode: Mode, chance: random.Random) -> Errand:
        names = [name for name in KINDS if name != "post of another"]
        number = 3 * len(self._errands[mode]) + MODES.index(mode)
        impatient = chance.random() < 0.05
        return Errand(
            mark=f"c{number}",
            kind=KINDS[chance.choice(names)],
            patience=chance.uniform(0, 1) if impatient else None,
        )

    def _judge(self) -> None:
        deeds = [*read_deeds(self._path)]
        effects = Counter(deed.mark for deed in deeds)
        values = {deed.mark: deed.number for deed in deeds}
        for mode, errands in self._errands.items():
            for errand in errands:
                mark, reads = errand.mark, errand.kind.reads
                self.tally.count_outcome(errand)
                self.tally.count_effects(errand, effects[mark])
                expected = [{"id": number_of(mark)}] if reads else values.get(mark)
                wrong = complaint_by_effects(errand, effects[mark], expected)
                if wrong is not None:
                    raise Broken(f"{mode}, {wrong}")


def _open_files() -> int:
    return len(os.listdir("/dev/fd"))


@contextmanager
def _trusting(certificate: Path) -> Generator[None]:
    """Trust this certificate and no other."""
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR")
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ["SSL_CERT_FILE"] = str(certificate)
    try:
        yield
    finally:
        del os.environ["SSL_CERT_FILE"]
        os.environ.update({k: v for k, v in before.items() if v is not None})


def run_sockets(
    backend: str, route: str, calls: int, seed: int, life: float = LIFE
) -> Tally:
    """Make the calls on one event loop.

    :param route: one of :data:`ROUTES`
    :param calls: number of calls of each client
    :param life: seconds until a server is killed
    :return: the figures, with the complaint if a promise was broken
    """
    with TemporaryDirectory() as directory, _trusting(CERTIFICATE):
        sockets = Sockets(calls, seed, life, Path(directory) / "deeds", route)
        try:
            anyio.run(sockets.run, backend, backend=backend)
        except Broken as broken:
            sockets.tally.complaint = str(broken)
    return sockets.tally


@click.command(help=__doc__.splitlines()[0] if __doc__ else None)
@click.option("--calls", type=click.IntRange(1), default=CALLS, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--backend", type=click.Choice(BACKENDS), help="Only on this event loop.")
@click.option("--route", type=click.Choice(ROUTES), help="Only by this route.")
def main(calls: int, seed: int, backend: str | None, route: str | None) -> None:
    """Make the calls, print the table, and exit with 1 if a promise was broken."""
    logging.getLogger("vkanyio").addHandler(logging.NullHandler())  # marks are unknown
    backends, routes = [backend] if backend else BACKENDS, [route] if route else ROUTES
    tallies = {
        f"{backend}, {route}": run_sockets(backend, route, calls, seed)
        for backend in backends
        for route in routes
    }
    sys.exit(report(tallies))


if __name__ == "__main__":
    main()
