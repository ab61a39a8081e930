"""What may and what may not become of a call: the model, without I/O.

It is told what the client saw of each request that carried the call, and what the
simulator wrote into its ledger, and says what is wrong with the outcome.
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
"""VK failed, and may have carried the call out before it did."""
SCRIPT_FAILED = 13
SPOILT = frozenset({"html", "body", "truncated"})
"""Faults after which there is an answer, but none of VK's."""
TIMED_OUT = 408


@final
@attrs.frozen(kw_only=True)
class Verdict:
    """What a client learned of a call from one request.

    :ivar done: that VK carried it out
    :ivar doubt: nothing for sure
    :ivar code: VK's error
    :ivar passes: that the same request may succeed later
    """

    done: bool = False
    doubt: bool = False
    code: int | None = None
    passes: bool = False


@final
@attrs.frozen(kw_only=True)
class Evidence:
    """What is known of a call besides its outcome.

    :ivar verdicts: what its client learned, request by request
    :ivar last_request: the number of the last one
    :ivar last_moment: whether that ended at the moment at which the caller went on, so
        that its answer may have come too late
    :ivar effects: how often it was carried out
    :ivar expected: the value that it was answered with
    :ivar script_errors: the errors of the calls in a script
    """

    verdicts: Sequence[Verdict]
    last_request: int
    last_moment: bool
    effects: int
    expected: Any
    script_errors: Sequence[int] = ()


def by_mark(ledger: Sequence[Entry]) -> Mapping[str, list[tuple[int, Entry]]]:
    """Sort the entries of a ledger by the calls that they are about."""
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
    """Put together what is known of a call.

    :param passages: the requests that carried it
    :param entries: what the ledger has about it, with the places there
    :param expected: the value that it was answered with
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
        return Verdict()  # what stands before VK turned it away
    [outer] = [entry for entry in entries if entry.method == passage.method]
    if outer.fault in SPOILT and passage.code is None:
        return Verdict(doubt=True, passes=True)
    packed = passage.method == "execute" and kind.way == "method"
    if packed and passage.code == SCRIPT_FAILED:
        return Verdict(doubt=True, code=SCRIPT_FAILED)  # somewhere in the middle
    code: int | str | None = passage.code
    if packed and code is None:
        [inner] = [entry for entry in entries if entry.method == kind.effect]
        code = inner.outcome
    if not isinstance(code, int):
        return Verdict(done=True)
    vague = code in AMBIGUOUS
    return Verdict(doubt=vague, code=code, passes=vague)


def complaint(errand: Errand, evidence: Evidence, retry_limit: int) -> str | None:
    """Say what is wrong with the outcome of a call, None if nothing is."""
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
    """Say what is wrong with the outcome of a call of which less is known.

    :param effects: how often it was carried out
    :param expected: the value that it was answered with
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
            yield "is told that its outcome is unknown, though it reads"
    elif isinstance(outcome, ClientClosedError):
        if effects and not outcome.maybe_carried_out:
            yield "was carried out, against its error"
    elif isinstance(outcome, APIError | TransportError):
        # A script that failed may have made some of its calls before.
        failed = errand.kind.way != "method" and isinstance(outcome, ScriptRuntimeError)
        if effects and not reads and not failed:
            yield "was carried out, against its error"
    elif isinstance(outcome, BaseException):
        yield "has an error that is out of place"
    elif isinstance(outcome, ExecuteResult) and outcome.errors:
        if effects and not reads:
            yield "was carried out, against the error in its result"
    elif not isinstance(outcome, Cancelled):
        if not effects and not reads:
            yield "was not carried out, against its value"
        if value_of(outcome) != expected:
            yield f"has not its own value, {expected!r}"


def _about_requests(errand: Errand, evidence: Evidence) -> Iterator[str]:
    for verdict in evidence.verdicts[:-1]:
        if verdict.done:
            yield "was sent again after VK had answered it"
        if verdict.doubt and not errand.kind.repeats:
            yield "was sent again though VK may have carried it out"
    if evidence.last_request > errand.requests:
        yield "was sent after its caller had gone on"


def _about_history(
    errand: Errand, evidence: Evidence, retry_limit: int
) -> Iterator[str]:
    outcome = errand.outcome
    if isinstance(outcome, Cancelled):
        if errand.left_at != errand.cancelled_at:
            yield "did not leave when it was cancelled"
    elif isinstance(outcome, ClientClosedError):
        yield from _about_closing(outcome, evidence)
    elif isinstance(outcome, VKError):
        yield from _about_error(errand, outcome, evidence)
        yield from _about_retries(errand, evidence, retry_limit)
    else:
        yield from _about_value(outcome, evidence)


def _about_value(outcome: Any, evidence: Evidence) -> Iterator[str]:
    if not evidence.verdicts or not evidence.verdicts[-1].done:
        yield "has a value that VK did not send"
    if isinstance(outcome, ExecuteResult) and outcome.errors:
        # The simulator may add a copy under the name of `execute`.
        codes = [each.code for each in outcome.errors if each.method != "execute"]
        if codes != [*evidence.script_errors[-1:]]:
            yield "has the errors of another script"
    elif not evidence.effects:
        yield "was not carried out, against its value"


def _about_closing(outcome: ClientClosedError, evidence: Evidence) -> Iterator[str]:
    doubt = any(verdict.doubt for verdict in evidence.verdicts)
    told = outcome.maybe_carried_out
    if told != doubt and not (told and evidence.last_moment):
        yield f"tells maybe_carried_out={told}"


def _about_error(errand: Errand, outcome: VKError, evidence: Evidence) -> Iterator[str]:
    verdicts = evidence.verdicts
    doubt = any(verdict.doubt for verdict in verdicts)
    if isinstance(outcome, OutcomeUnknownError):
        if not doubt:
            yield "has an outcome that is known"
        return
    if doubt and not errand.kind.reads:
        yield "has an outcome that is not known"
    last = verdicts[-1] if verdicts else Verdict(done=True)
    if isinstance(outcome, APIError):
        if outcome.code != last.code:
            yield "has an error that VK did not send"
    elif last.done or last.code is not None:
        yield "has an answer of VK's, against its error"


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
        yield "was given up too early"


def _in_short(verdict: Verdict) -> str:
    if verdict.done:
        return "done"
    code = "no answer" if verdict.code is None else f"error {verdict.code}"
    return f"{code} (in doubt)" if verdict.doubt else code
