"""nginx, tinyproxy and microsocks in front of the simulator, for one run.

Everything is made in a temporary directory and listens on loopback: configurations, a
certificate authority, logs. Only processes that were started here are ended.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, final

from ._ports import free_port
from ._server import read_deeds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._server import Deed

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "nginx": "nginx-light",
    "tinyproxy": "tinyproxy-bin",
    "microsocks": "microsocks",
    "openssl": "openssl",
}
"""The programs, and Debian's packages that have them."""
START_SECONDS = 30.0
STOP_SECONDS = 5.0
SLOW = 1.2
"""Seconds that the slow simulator takes for each call."""
USER, PASSWORD = "somebody", "a-good-password"

SITES = {
    "https": "",
    "five requests": "keepalive_requests 5;",
    "one second": "keepalive_timeout 1s;",
    "limit 429": "limit_req zone=calls burst=5 nodelay; limit_req_status 429;"
    " add_header Retry-After 1 always;",
    "limit 503": "limit_req zone=calls burst=5 nodelay; limit_req_status 503;"
    " add_header Retry-After 1 always;",
    "gzip": "gzip on; gzip_types application/json; gzip_min_length 1;",
    "small bodies": "client_max_body_size 1k;",
    "slow": "",
    "http": "",
}
"""What is special about each server of nginx; all but the last use TLS."""


def program(name: str) -> str | None:
    """Find a program; those for servers are not on everybody's path."""
    path = os.environ.get("PATH", os.defpath)
    return shutil.which(name, path=f"{path}{os.pathsep}/usr/sbin")


def missing_programs() -> list[str]:
    """Return the programs that are not installed."""
    return [name for name in PACKAGES if program(name) is None]


@final
class Program:
    """A process that listens on a port, and may be killed and restarted.

    :param command: what to start; the name of the program is the first word
    :param port: the port that it listens on
    """

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self.port = port
        self._command = [program(command[0]) or command[0], *command[1:]]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for this process, which ends it
            )
        until = time.monotonic() + START_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > until:
                text = self._log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self._command[0]} does not start: {text}")
            time.sleep(0.005)

    def _listens(self) -> bool:
        with suppress(OSError), socket.socket() as probe:
            probe.settimeout(1)
            probe.connect(("127.0.0.1", self.port))
            return True
        return False

    def signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it; nginx ends its workers then."""
        self.signal(signal.SIGTERM)
        if self._process is not None:
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()


@final
class Upstream:
    """The simulator in a separate process, without faults or a limit.

    A file keeps what it has done, also for the next process.
    """

    def __init__(self, latency: float, path: Path) -> None:
        self.port = free_port()
        self._path = path
        self._latency = latency
        self._process: subprocess.Popen[bytes] | None = None
        path.touch()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [sys.executable, "-m", "proof._server", "--port", str(self.port)]
        command += ["--seed", "0", "--backend", "asyncio", "--limit", "0"]
        command += ["--rate", "0", "--latency", str(self._latency), str(self._path)]
        self._process = process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"!")
        process.stdin.flush()
        started, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        if not started or not process.stdout.readline():
            raise RuntimeError("the simulator does not start")

    def kill(self) -> None:
        """Kill it at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with process:  # closes the pipes, and waits
                pass

    def deeds(self) -> Iterator[Deed]:
        """Return the calls that have had their effect."""
        return read_deeds(self._path)


@final
class Programs:
    """All of them, for one run.

    :param place: a directory for configurations, certificates and logs
    :ivar nginx: the server in front of the simulators
    :ivar upstream: the simulator
    :ivar proxies: the proxies by name; those with a login end in " login"
    """

    def __init__(self, place: Path) -> None:
        self.upstream = Upstream(0.02, place / "deeds")
        self.slow = Upstream(SLOW, place / "slow deeds")
        self._place = place
        self._ports = {name: free_port() for name in SITES}
        conf = place / "nginx.conf"
        command = ["nginx", "-p", str(place), "-c", str(conf), "-e", "nginx.log"]
        self.nginx = Program(command, self._ports["https"], place / "nginx.out")
        self.proxies: dict[str, Program] = {}
        for name in ("tinyproxy", "microsocks"):
            if program(name) is not None:
                self._add_proxy(name, name, login=False)
                self._add_proxy(name, f"{name} login", login=True)

    @property
    def authority(self) -> Path:
        """The certificate of the authority, for SSL_CERT_FILE."""
        return self._place / "authority.pem"

    def __enter__(self) -> Programs:
        """Start everything."""
        try:
            self._make_certificates()
            (self._place / "nginx.conf").write_text(self._nginx_conf())
            for each in self._all():
                each.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End everything."""
        for each in (*self.proxies.values(), self.nginx):
            each.stop()
        self.upstream.kill()
        self.slow.kill()

    def _all(self) -> Iterator[Program | Upstream]:
        yield self.upstream
        yield self.slow
        yield self.nginx
        yield from self.proxies.values()

    def port(self, site: str) -> int:
        """Return the port of one of :data:`SITES`."""
        return self._ports[site]

    def url(self, site: str, port: int | None = None) -> str:
        """Return the base URL of a site.

        :param port: another port in front of it
        """
        scheme = "http" if site == "http" else "https"
        return f"{scheme}://127.0.0.1:{port or self._ports[site]}/method"

    def compressed(self) -> int:
        """Return how many responses nginx has compressed."""
        return self._place.joinpath("access.log").read_text().count(" gzip")

    def deeds(self) -> Iterator[Deed]:
        """Return the calls that have had their effect."""
        return chain(self.upstream.deeds(), self.slow.deeds())

    def _add_proxy(self, kind: str, name: str, *, login: bool) -> None:
        port = free_port()
        command = ["microsocks", "-i", "127.0.0.1", "-p", str(port)]
        if kind == "tinyproxy":
            conf = self._place / f"{name}.conf"
            lines = [f"Port {port}", "Listen 127.0.0.1", "MaxClients 500"]
            lines += ["Timeout 60", "LogLevel Error"]
            lines += [f"BasicAuth {USER} {PASSWORD}"] * login
            conf.write_text("\n".join([*lines, ""]))
            command = ["tinyproxy", "-d", "-c", str(conf)]
        elif login:
            command += ["-u", USER, "-P", PASSWORD]
        self.proxies[name] = Program(command, port, self._place / f"{name}.log")

    def _nginx_conf(self) -> str:
        temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        return "\n".join(
            [
                "user root;" if os.geteuid() == 0 else "",
                "daemon off; worker_processes 1; worker_shutdown_timeout 1s;",
                "pid nginx.pid; error_log nginx.log;",
                "events { worker_connections 1000; }",
                "http {",
                "log_format brief '$status $sent_http_content_encoding';",
                "access_log access.log brief;",
                *(f"{each}_temp_path {each}_files;" for each in temporary),
                "limit_req_zone $server_port zone=calls:1m rate=20r/s;",
                "proxy_connect_timeout 2s; client_max_body_size 8m;",
                *(self._server_conf(name, more) for name, more in SITES.items()),
                "}",
                "",
            ]
        )

    def _server_conf(self, name: str, more: str) -> str:
        upstream = self.slow if name == "slow" else self.upstream
        tls = (
            ""
            if name == "http"
            else "ssl_certificate server.pem; ssl_certificate_key server.key;"
        )
        return (
            f"server {{ listen 127.0.0.1:{self._ports[name]}{' ssl' if tls else ''};"
            f" {tls} {more}"
            f" location / {{ proxy_pass http://127.0.0.1:{upstream.port}; }} }}"
        )

    def _make_certificates(self) -> None:
        """Make a certificate authority, and a certificate for 127.0.0.1."""
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        (self._place / "extensions").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl = self._openssl
        openssl("req", "-x509", *key, "-days", "1", "-subj", "/CN=An authority",
                "-keyout", "authority.key", "-out", "authority.pem")  # fmt: skip
        openssl("req", *key, "-subj", "/CN=127.0.0.1",
                "-keyout", "server.key", "-out", "server.csr")  # fmt: skip
        openssl("x509", "-req", "-in", "server.csr", "-days", "1",
                "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial",
                "-extfile", "extensions", "-out", "server.pem")  # fmt: skip

    def _openssl(self, *words: str) -> None:
        command = [program("openssl") or "openssl", *words]
        done = subprocess.run(
            command, cwd=self._place, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"openssl failed: {done.stderr}")
