"""The model that judges the outcome of a call, without I/O.

Its input is what the client saw of each request that carried the call, and the entries
in the simulator's ledger. Its output is what is wrong with the outcome.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any, final

import attrs

from vkanyio import (
    APIError,
    ClientClosedError,
    ExecuteResult,
    OutcomeUnknownError,
    ScriptRuntimeError,
    TransportError,
    VKError,
)

from ._errand import Cancelled, Nothing
from ._kinds import marks_of, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vkanyio.testing import Entry

    from ._door import Passage
    from ._errand import Errand
    from ._kinds import Kind

AMBIGUOUS = frozenset({1, 10, 36})
"""Errors on VK's side, which may come after the call was carried out."""
SCRIPT_FAILED = 13
SPOILT = frozenset({"html", "body", "truncated"})
"""Faults after which there is a response, but not from VK."""
TIMED_OUT = 408


@final
@attrs.frozen(kw_only=True)
class Verdict:
    """What a client learned about a call from one request.

    :ivar done: VK carried it out
    :ivar doubt: VK may have carried it out
    :ivar code: VK's error
    :ivar passes: the same request may succeed later
    """

    done: bool = False
    doubt: bool = False
    code: int | None = None
    passes: bool = False


@final
@attrs.frozen(kw_only=True)
class Evidence:
    """What is known about a call besides its outcome.

    :ivar verdicts: what its client learned, request by request
    :ivar last_request: the number of the last request
    :ivar last_moment: whether that request ended when the caller went on, so that its
        response may have come too late
    :ivar effects: how often the call was carried out
    :ivar expected: the value that VK returned
    :ivar script_errors: the errors of the calls in a script
    """

    verdicts: Sequence[Verdict]
    last_request: int
    last_moment: bool
    effects: int
    expected: Any
    script_errors: Sequence[int] = ()


def by_mark(ledger: Sequence[Entry]) -> Mapping[str, list[tuple[int, Entry]]]:
    """Group the entries of a ledger by the call they belong to."""
    found: defaultdict[str, list[tuple[int, Entry]]] = defaultdict(list)
    for place, entry in enumerate(ledger):
        for mark in marks_of(entry.params):
            found[mark].append((place, entry))
    return found


def gather(
    errand: Errand,
    passages: Sequence[Passage],
    entries: Sequence[tuple[int, Entry]],
    expected: Any,
) -> Evidence:
    """Collect what is known about a call.

    :param passages: the requests that carried it
    :param entries: its entries in the ledger, each with its position there
    :param expected: the value that VK returned
    """
    kind = errand.kind
    verdicts = [
        _verdict(kind, each, [e for i, e in entries if each.first <= i < each.last])
        for each in passages
    ]
    effects = [e for _, e in entries if e.method == kind.effect]
    codes = [e.outcome for e in effects if isinstance(e.outcome, int)]
    return Evidence(
        verdicts=verdicts,
        last_request=passages[-1].number if passages else 0,
        last_moment=bool(passages) and passages[-1].ended == errand.left_at,
        effects=sum(entry.outcome == "carried out" for entry in effects),
        expected=expected,
        script_errors=codes if kind.way != "method" else (),
    )


def _verdict(kind: Kind, passage: Passage, entries: Sequence[Entry]) -> Verdict:
    status = passage.status
    if passage.refused:
        return Verdict(passes=True)
    if status is None:
        return Verdict(doubt=True, passes=True)
    if 300 <= status < 500 and status != TIMED_OUT:
        return Verdict()  # refused by a proxy in front of VK
    [outer] = [entry for entry in entries if entry.method == passage.method]
    if outer.fault in SPOILT and passage.code is None:
        return Verdict(doubt=True, passes=True)
    packed = passage.method == "execute" and kind.way == "method"
    if packed and passage.code == SCRIPT_FAILED:
        return Verdict(doubt=True, code=SCRIPT_FAILED)  # it failed at an unknown call
    code: int | str | None = passage.code
    if packed and code is None:
        [inner] = [entry for entry in entries if entry.method == kind.effect]
        code = inner.outcome
    if not isinstance(code, int):
        return Verdict(done=True)
    vague = code in AMBIGUOUS
    return Verdict(doubt=vague, code=code, passes=vague)


def complaint(errand: Errand, evidence: Evidence, retry_limit: int) -> str | None:
    """Return what is wrong with the outcome of a call, or None."""
    wrongs = chain(
        _about_effects(errand, evidence.effects, evidence.expected),
        _about_requests(errand, evidence),
        _about_history(errand, evidence, retry_limit),
    )
    for wrong in wrongs:
        history = ", ".join(map(_in_short, evidence.verdicts)) or "never sent"
        return f"{errand} {wrong}: {errand.outcome!r} after {history}"
    return None


def complaint_by_effects(errand: Errand, effects: int, expected: Any) -> str | None:
    """Return what is wrong with the outcome of a call whose requests are not known.

    :param effects: how often it was carried out
    :param expected: the value that VK returned
    """
    for wrong in _about_effects(errand, effects, expected):
        return f"{errand} {wrong}: {errand.outcome!r}"
    return None


def _about_effects(errand: Errand, effects: int, expected: Any) -> Iterator[str]:
    outcome, reads = errand.outcome, errand.kind.reads
    if effects > 1 and not reads:
        yield f"was carried out {effects} times"
    if isinstance(outcome, Nothing):
        yield "has no outcome"
    elif isinstance(outcome, OutcomeUnknownError):
        if reads:
            yield "has an unknown outcome, though it only reads"
    elif isinstance(outcome, ClientClosedError):
        if effects and not outcome.maybe_carried_out:
            yield "was carried out, despite its error"
    elif isinstance(outcome, APIError | TransportError):
        # A script may have made some of its calls before it failed.
        failed = errand.kind.way != "method" and isinstance(outcome, ScriptRuntimeError)
        if effects and not reads and not failed:
            yield "was carried out, despite its error"
    elif isinstance(outcome, BaseException):
        yield "has an unexpected error"
    elif isinstance(outcome, ExecuteResult) and outcome.errors:
        if effects and not reads:
            yield "was carried out, despite the error in its result"
    elif not isinstance(outcome, Cancelled):
        if not effects and not reads:
            yield "was not carried out, despite its value"
        if value_of(outcome) != expected:
            yield f"does not have its own value, {expected!r}"


def _about_requests(errand: Errand, evidence: Evidence) -> Iterator[str]:
    for verdict in evidence.verdicts[:-1]:
        if verdict.done:
            yield "was retried after VK had returned its value"
        if verdict.doubt and not errand.kind.repeats:
            yield "was retried though VK may have carried it out"
    if evidence.last_request > errand.requests:
        yield "was sent after its caller had gone on"


def _about_history(
    errand: Errand, evidence: Evidence, retry_limit: int
) -> Iterator[str]:
    outcome = errand.outcome
    if isinstance(outcome, Cancelled):
        if errand.left_at != errand.cancelled_at:
            yield "did not end when it was cancelled"
    elif isinstance(outcome, ClientClosedError):
        yield from _about_closing(outcome, evidence)
    elif isinstance(outcome, VKError):
        yield from _about_error(errand, outcome, evidence)
        yield from _about_retries(errand, evidence, retry_limit)
    else:
        yield from _about_value(outcome, evidence)


def _about_value(outcome: Any, evidence: Evidence) -> Iterator[str]:
    if not evidence.verdicts or not evidence.verdicts[-1].done:
        yield "has a value that VK did not return"
    if isinstance(outcome, ExecuteResult) and outcome.errors:
        # The simulator may add a copy under the name of `execute`.
        codes = [each.code for each in outcome.errors if each.method != "execute"]
        if codes != [*evidence.script_errors[-1:]]:
            yield "has the errors of another script"
    elif not evidence.effects:
        yield "was not carried out, despite its value"


def _about_closing(outcome: ClientClosedError, evidence: Evidence) -> Iterator[str]:
    doubt = any(verdict.doubt for verdict in evidence.verdicts)
    reported = outcome.maybe_carried_out
    if reported != doubt and not (reported and evidence.last_moment):
        yield f"reports maybe_carried_out={reported}"


def _about_error(errand: Errand, outcome: VKError, evidence: Evidence) -> Iterator[str]:
    verdicts = evidence.verdicts
    doubt = any(verdict.doubt for verdict in verdicts)
    if isinstance(outcome, OutcomeUnknownError):
        if not doubt:
            yield "is reported as unknown, but its outcome is known"
        return
    if doubt and not errand.kind.reads:
        yield "has an outcome, but it is unknown"
    last = verdicts[-1] if verdicts else Verdict(done=True)
    if isinstance(outcome, APIError):
        if outcome.code != last.code:
            yield "has an error that VK did not return"
    elif last.done or last.code is not None:
        yield "has a response from VK, despite its error"


def _about_retries(
    errand: Errand, evidence: Evidence, retry_limit: int
) -> Iterator[str]:
    doubt = any(verdict.doubt for verdict in evidence.verdicts)
    if doubt and not errand.kind.repeats:
        return
    passed = [verdict for verdict in evidence.verdicts if verdict.passes]
    if (
        evidence.verdicts
        and evidence.verdicts[-1].passes
        and len(passed) <= retry_limit
    ):
        yield "was not retried often enough"


def _in_short(verdict: Verdict) -> str:
    if verdict.done:
        return "done"
    code = "no response" if verdict.code is None else f"error {verdict.code}"
    return f"{code} (in doubt)" if verdict.doubt else code
