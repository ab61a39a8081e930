"""One run: a library does a workload on its own server, and is checked."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import attrs

from server import serving

if TYPE_CHECKING:
    from peers.libraries import Library
    from peers.workloads import Workload

PATIENCE = 180
"""Seconds after which a driver is killed."""


@attrs.frozen(kw_only=True)
class Run:
    """The result of a run, with the reports of driver and server."""

    library: str
    workload: str
    driver: dict[str, Any] = attrs.field(factory=dict)
    server: dict[str, Any] = attrs.field(factory=dict)
    problem: str = ""

    @property
    def summary(self) -> str:
        """One line that shows progress."""
        if not self.driver:
            return self.problem
        driver, server = self.driver, self.server
        errors = f", errors: {driver['errors']}" if driver["errors"] else ""
        return (
            f"{driver['seconds']:.2f} s, {driver['done']} done{errors};"
            f" {server['requests']} requests, {server['refused']} refused"
            f"{', ' if self.problem else ''}{self.problem}"
        )

    @property
    def lost(self) -> int:
        """Number of calls with a value that the server did not carry out."""
        return len(set(self.server["missing"]) - set(self.driver["failed"]))

    @property
    def unnoticed(self) -> int:
        """Number of calls that failed, but were carried out by the server."""
        return len(set(self.driver["failed"]) - set(self.server["missing"]))

    @property
    def unknown(self) -> int:
        """Number of calls that the client reported as possibly carried out."""
        return int(self.driver["errors"].get("OutcomeUnknownError", 0))


def run(library: Library, workload: Workload) -> Run:
    """Run a workload."""
    job = {**attrs.asdict(workload), "variant": library.variant}
    limit = workload.limit if workload.is_limited else 0
    named: dict[str, Any] = {"library": library.name, "workload": workload.name}
    with serving(limit, workload.latency, workload.faults) as witness:
        job["url"] = witness.url
        try:
            done = subprocess.run(
                [*library.command, json.dumps(job)],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
                env={**os.environ, "NO_PROXY": "127.0.0.1", **library.environment},
            )
        except subprocess.TimeoutExpired:
            return Run(**named, problem=f"not finished after {PATIENCE} s")
    try:
        driver = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return Run(**named, problem=(done.stderr.strip().splitlines() or ["?"])[-1])
    found = Run(**named, driver=driver, server=witness.report)
    return attrs.evolve(found, problem=_check(workload, found))


def to_show(rounds: list[Run]) -> Run:
    """Return the fastest of several rounds, but one with failures if there is any."""
    return min(
        rounds,
        key=lambda each: (
            not each.problem,
            -each.server.get("refused", 0),
            -len(each.driver.get("failed", ())),
            each.driver.get("seconds", 0.0),
        ),
    )


def _check(workload: Workload, found: Run) -> str:
    """Compare the report of the client to the counts of the server."""
    driver, calls = found.driver, workload.calls
    if workload.shape == "list":
        problems = ((driver[kind], kind) for kind in ("wrong", "missing", "twice"))
        return ", ".join(f"{count} items {kind}" for count, kind in problems if count)
    calls += 10 if workload.shape == "share" else 0
    outcomes = driver["done"] + driver["wrong"] + len(driver["failed"])
    if driver["wrong"]:
        return f"{driver['wrong']} calls got the value of another call"
    if outcomes != calls:
        return f"{outcomes} of {calls} calls have an outcome"
    return (
        f"{found.lost} calls got a value, but were not carried out"
        if found.lost
        else ""
    )
