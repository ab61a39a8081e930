"""One upload, from the address to the saved file: the engine of all kinds.

It owns the attempts to send a file, and their deadlines. The two calls around them are
ordinary calls. Nothing is saved before the last of them, so an attempt that was lost is
repeated.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, final

import attrs
from anyio import CancelScope, current_time, sleep

from .._address import parse_address
from .._errors import (
    ConnectionFailedError,
    InvalidResponseError,
    OutcomeUnknownError,
    RequestTimeoutError,
)
from .._outcome import Failure
from .._request import APIRequest
from .._typeguards import is_dict
from .._uploaded import UnsavedUpload, Uploaded
from ._answers import Answer, find_refusal, read_answer
from ._kinds import KINDS
from ._multipart import Multipart

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from .._caller import Caller
    from .._response import Response
    from ._kinds import FileKind
    from ._multipart import Stage
    from ._sources import FileSource

STALL_TIMEOUT = 30.0
RESPONSE_TIMEOUT = 120.0


@final
@attrs.frozen(kw_only=True)
class Patience:
    """How long an upload waits for the server.

    :ivar stall: seconds without progress
    :ivar response: seconds for the response, once everything has been sent
    """

    stall: float = STALL_TIMEOUT
    response: float = RESPONSE_TIMEOUT

    def seconds(self, stage: Stage) -> float:
        """Return how long a stage may last. A slow source is not a slow network."""
        if stage == "reading":
            return math.inf
        return self.stall if stage == "sending" else self.response


@final
@attrs.frozen(kw_only=True)
class Form:
    """What is sent to an upload server, as often as it takes.

    :ivar kind: the method of ``api.upload``, for errors
    :ivar files: fields and their files
    :ivar more: further fields
    """

    kind: str
    files: Sequence[tuple[str, FileSource]]
    more: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    on_progress: Callable[[int, int], object] | None = None
    patience: Patience = attrs.field(factory=Patience)

    @property
    def is_repeatable(self) -> bool:
        """Whether all files can be read again."""
        return all(source.is_repeatable for _, source in self.files)


async def send_form(
    caller: Caller,
    form: Form,
    find_address: Callable[[], Awaitable[str]],
    check: Callable[[Answer], Failure | None] = lambda _: None,
) -> Answer:
    """Send a form until the server takes or refuses it, in the client's turn.

    :param find_address: returns the address for an attempt
    :param check: returns why an answer is a refusal, if it is one
    """

    async def attempt() -> Answer | Failure:
        result = await _send_once(caller, await find_address(), form)
        return (check(result) or result) if isinstance(result, Answer) else result

    async with caller.uploading():
        return await _repeat(caller, attempt, may_repeat=form.is_repeatable)


async def _repeat(
    caller: Caller,
    attempt: Callable[[], Awaitable[Answer | Failure]],
    *,
    may_repeat: bool,
) -> Answer:
    """Make attempts until one brings an answer, or no other may follow."""
    retries = caller.retries()
    while True:
        result = await attempt()
        if isinstance(result, Answer):
            return result
        delay = retries.delay_after(result, may_repeat=True) if may_repeat else None
        if delay is None:
            raise result.error
        await sleep(delay)


async def _send_once(caller: Caller, url: str, form: Form) -> Answer | Failure:
    """Send a form, for as long as it makes progress."""
    patience = form.patience
    body = Multipart(form.files, form.more, form.on_progress)
    response: Response | Failure | None = None
    try:
        with CancelScope(deadline=current_time() + patience.stall) as scope:

            def move_deadline(stage: Stage) -> None:
                scope.deadline = current_time() + patience.seconds(stage)

            body.on_stage = move_deadline
            headers = {"content-type": body.content_type}
            response = await caller.post(url, body, length=body.length, headers=headers)
    finally:
        body.close()
    if response is None:
        return _timeout(form, body)
    if isinstance(response, Failure):
        return _lost(response, form.kind, _place(body))
    return read_answer(response, form.kind)


def _lost(failure: Failure, kind: str, place: str) -> Failure:
    error = ConnectionFailedError(
        f"{failure.error.args[0]}{place}",
        method=f"upload.{kind}",
        is_transient=failure.is_transient,
    )
    return failure._replace(error=error)


def _timeout(form: Form, body: Multipart) -> Failure:
    patience = form.patience
    seconds, what = patience.stall, "no progress"
    if body.is_sent:
        seconds, what = patience.response, "no response"
    error = RequestTimeoutError(
        f"{what} for {seconds:g} s{_place(body)}", method=f"upload.{form.kind}"
    )
    return Failure(error, maybe_carried_out=False)


def _place(body: Multipart) -> str:
    """Return how far an attempt has got, for an error."""
    if body.is_sent:
        return ", after the whole file was sent"
    if not body.sent:
        return ", before any of the file was sent"
    # A server that refuses a file early may close the connection at once, and its
    # response is lost then, depending on the event loop.
    return (
        f", after {body.sent:,} of {body.size:,} bytes (or VK refused the file as too"
        " large)"
    )


@final
@attrs.frozen(kw_only=True)
class FileUpload:
    """The upload of one file, or of as many as a form takes.

    :ivar params: of the method that returns the address
    :ivar save_params: of the method that saves the file, beside what the server returns
    """

    caller: Caller
    kind: FileKind
    form: Form
    params: Mapping[str, Any]
    save_params: Mapping[str, Any]

    async def run(self) -> list[Uploaded[Any]]:
        """Get an address, send the form there, and save what it brought.

        :return: the objects, one for each file
        """
        kind, opened = self.kind, _Opened(self.caller, self.kind, self.params)
        try:
            answer = await send_form(
                self.caller,
                self.form,
                opened.find_address,
                lambda answer: find_refusal(answer, kind),
            )
        except Exception as error:
            opened.explain(error)
            raise
        if not kind.save:
            thing = opened.value if kind.keeps_address else answer.value
            return [_uploaded(kind, thing)]
        params = {**self.save_params, **kind.params_of(answer.value, answer.text)}
        return await save(self.caller, UnsavedUpload(kind.name, params))


class _Opened:
    """Where a file of a kind goes: a new address for each attempt, if VK allows that.

    :ivar value: what VK returned together with the address, None before that
    """

    def __init__(
        self, caller: Caller, kind: FileKind, params: Mapping[str, Any]
    ) -> None:
        self.value: Any = None
        self._caller = caller
        self._kind = kind
        self._request_params = {**params, **kind.fixed}

    async def find_address(self) -> str:
        """Return the address for an attempt."""
        kind = self._kind
        if self.value is None or not kind.keeps_address:
            request = APIRequest(kind.get, self._request_params)
            self.value = await self._caller.perform(request)
        return address_in(kind.get, self.value)

    def explain(self, error: Exception) -> None:
        """Note what is left behind by an upload that failed."""
        if self._kind.keeps_address and is_dict(self.value):
            name = self._kind.reference_to(self.value)
            text = f"{self._kind.get} has created {name}, which has no content"
            error.add_note(text)


async def add_by_link(
    caller: Caller, params: Mapping[str, Any], patience: Patience
) -> Uploaded[Any]:
    """Add a video of another site, which VK fetches when its address is requested.

    :param params: of ``video.save``, encoded
    """
    caller.check_usable()
    kind, name = KINDS["video"], "video_by_link"
    opened = _Opened(caller, kind, params)
    url = await opened.find_address()

    async def attempt() -> Answer | Failure:
        response: Response | Failure | None = None
        with CancelScope(deadline=current_time() + patience.response):
            # vk_api sends such a POST request, VK's documentation speaks of GET.
            response = await caller.post(url, b"", length=0, headers={})
        if response is None:
            message = f"no response for {patience.response:g} s"
            error = RequestTimeoutError(message, method=f"upload.{name}")
            return Failure(error, maybe_carried_out=False)
        if isinstance(response, Failure):
            return _lost(response, name, "")
        return read_answer(response, name)

    try:
        await _repeat(caller, attempt, may_repeat=True)
    except Exception as error:
        opened.explain(error)
        raise
    return Uploaded(opened.value, name, kind.reference_to(opened.value))


def address_in(method: str, value: Any) -> str:
    """Return the address in the value of a method.

    :raises InvalidResponseError: if there is none
    """
    address = value.get("upload_url") if is_dict(value) else value
    if not isinstance(address, str) or not _is_usable(address):
        message = "VK returned no address to send the file to"
        raise InvalidResponseError(message, method=method, status=200, body=b"")
    return address


def _is_usable(address: str) -> bool:
    parsed = parse_address(address)
    return parsed is not None and parsed.scheme in ("http", "https")


async def save(caller: Caller, upload: UnsavedUpload) -> list[Uploaded[Any]]:
    """Save files that a server has taken.

    :raises OutcomeUnknownError: if they may have been saved; it has the upload
    """
    kind = KINDS[upload.kind]
    # With headers of its own: these methods fail inside `execute`
    # (https://github.com/negezor/vk-io/issues/171).
    request = APIRequest(kind.save, upload.params, headers={})
    try:
        value = await caller.perform(request)
    except OutcomeUnknownError as error:
        error.uploaded = upload
        raise
    return [_uploaded(kind, thing) for thing in kind.objects_in(value)]


def _uploaded(kind: FileKind, thing: Any) -> Uploaded[Any]:
    return Uploaded(thing, kind.name, kind.reference_to(thing))
