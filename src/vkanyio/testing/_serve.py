"""Serve the simulator on a real socket with hypercorn."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, final
from weakref import WeakSet

import anyio
from anyio.lowlevel import checkpoint

from ._asgi import Message, Receive, Scope, Send
from ._errors import ConnectionFault

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

logger = logging.getLogger("vkanyio.testing")

Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

BACKLOG = 1024

KEEP_ALIVE = 75.0
"""Seconds after which an idle connection is closed, nginx's default."""

SHUTDOWN_TIMEOUT = 1.0
"""Seconds to wait at the end before an open connection is closed by force."""

ACCEPTING_TURNS = 5
"""Turns of the event loop until an accepted connection is served: 3 on asyncio."""


@asynccontextmanager
async def serve(app: Application, host: str, port: int) -> AsyncGenerator[str, None]:
    """Serve an application until the block is left.

    :param app: an ASGI application
    :param host: the address to listen on
    :param port: the port, 0 for any free one
    :return: the base URL
    """
    site = _Site(app)
    failure: BaseException | None = None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Clients can connect from now on: until the server runs, they wait in the backlog.
    server = socket.create_server((host, port), family=family, backlog=BACKLOG)
    with _Listener(fileno=server.detach()) as listener:
        serve_asgi, config = _hypercorn(listener)
        try:
            async with anyio.create_task_group() as site.tasks:
                site.tasks.start_soon(_run, serve_asgi, site, config, listener)
                try:
                    yield _base_url(listener)
                except anyio.get_cancelled_exc_class():
                    raise
                except BaseException as exc:
                    # Do not let it reach the task group, which would wrap it.
                    failure = exc
                finally:
                    site.close()
        except anyio.get_cancelled_exc_class():
            # On asyncio a cancelled group raises this instead of the body's exception.
            if failure is None:
                raise
    try:
        if failure is not None:
            raise failure
    finally:
        del failure


async def _run(
    serve_asgi: Callable[..., Awaitable[None]],
    site: _Site,
    config: Any,
    listener: _Listener,
) -> None:
    async def stop() -> None:
        await site.closed.wait()
        await listener.stop()
        tasks.start_soon(listener.disconnect)

    # Hypercorn shuts down cleanly when asked to, but not when it is cancelled.
    with anyio.CancelScope(shield=True):
        async with anyio.create_task_group() as tasks:
            await serve_asgi(site, config, shutdown_trigger=stop)
            tasks.cancel_scope.cancel()
    site.tasks.cancel_scope.cancel()  # nothing is received any more


def _hypercorn(listener: _Listener) -> tuple[Callable[..., Awaitable[None]], Any]:
    try:
        from hypercorn.config import Config, Sockets
    except ModuleNotFoundError as exc:
        raise ModuleNotFoundError(
            "Simulator.serve() needs hypercorn, which the extra 'testing' installs",
            name=exc.name,
        ) from exc
    trio = sys.modules.get("trio")
    in_trio = trio is not None and trio.lowlevel.in_trio_task()
    serve_asgi = import_module(f"hypercorn.{'trio' if in_trio else 'asyncio'}").serve
    config: Any = Config()
    config.accesslog = config.errorlog = None
    config.backlog = BACKLOG
    if in_trio:  # takes plain sockets only
        config.bind = [f"fd://{listener.dup().detach()}"]
    else:
        listener.setblocking(False)
        config.create_sockets = lambda: Sockets([], [listener], [])
    config.graceful_timeout = 2 * SHUTDOWN_TIMEOUT  # the listener is first
    config.include_server_header = False
    config.keep_alive_timeout = KEEP_ALIVE
    return serve_asgi, config


def _base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    return f"http://{address}:{port}/method"


@final
class _Listener(socket.socket):
    """A listening socket that lets hypercorn close every connection on asyncio.

    Hypercorn would leave two kinds of them open, until they are garbage:

    1. Those that asyncio has accepted, but not handed over when its server is closed.
       So no more are accepted for some turns before that.
    2. Those whose clients do not read the response. So these are disconnected.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_accepting = True
        self._connections: WeakSet[socket.socket] = WeakSet()

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection: asyncio calls this."""
        if not self._is_accepting:
            raise BlockingIOError
        connection, peer = super().accept()
        self._connections.add(connection)
        return connection, peer

    async def stop(self) -> None:
        """Accept no more connections, and wait until the accepted ones are served."""
        self._is_accepting = False
        for _ in range(ACCEPTING_TURNS):
            await checkpoint()

    async def disconnect(self) -> None:
        """Disconnect after a while the clients that are still connected."""
        await anyio.sleep(SHUTDOWN_TIMEOUT)
        for connection in tuple(self._connections):
            with suppress(OSError):  # it is closed
                connection.shutdown(socket.SHUT_RDWR)


@final
class _Site:
    """The application for hypercorn, which can also lose a connection.

    :ivar tasks: where the rest of unread bodies is discarded
    """

    tasks: TaskGroup

    def __init__(self, app: Application) -> None:
        self.closed = anyio.Event()
        self._app = app
        self._running: set[anyio.CancelScope] = set()

    def close(self) -> None:
        """Ask the server to stop, and cancel the requests in progress."""
        self.closed.set()
        for scope in self._running:
            scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(receive, send, self.tasks)
        with anyio.CancelScope() as cutoff:
            self._running.add(cutoff)
            if self.closed.is_set():
                cutoff.cancel()
            try:
                await self._app(scope, exchange.receive, exchange.send)
            except ConnectionFault:
                pass
            except Exception:
                logger.exception("the simulator failed to respond")
                raise
            finally:
                self._running.discard(cutoff)
                exchange.discard_rest()
        if not exchange.has_begun:
            await _hang_up(send)


@final
class _Exchange:
    """A request and its response.

    Hypercorn keeps ten messages that nobody has received, and does not close the
    connection before there is room for one more. So what the application leaves unread
    is discarded.

    :param tasks: where that is done
    :ivar has_begun: whether the application has sent something
    """

    def __init__(self, receive: Receive, send: Send, tasks: TaskGroup) -> None:
        self.has_begun = False
        self._receive = receive
        self._send = send
        self._tasks = tasks
        self._has_more = True

    async def receive(self) -> Message:
        """Receive a message, and note whether more of the body follows."""
        message = await self._receive()
        self._has_more = message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send a message; with the last one hypercorn closes the request."""
        self.has_begun = True
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.discard_rest()
        await self._send(message)

    def discard_rest(self) -> None:
        """Discard what has not been received, in a task, until the client is gone."""
        if self._has_more:
            self._has_more = False
            self._tasks.start_soon(self._discard)

    async def _discard(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _hang_up(send: Send) -> None:
    """Close the connection without a response.

    ASGI has no message for this, and if an application sends nothing, hypercorn
    responds with status 500. After an interim response, however, hypercorn considers
    the response begun and just closes the connection. Clients skip interim responses,
    so they see a server that disconnected before it responded.
    """
    await send({"type": "http.response.start", "status": 100, "headers": []})
