"""The parts that need no event loop: from the parameters of a call to its outcome."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vkanyio import APIRequest, Limiter
from vkanyio._batch import read_batch, to_code
from vkanyio._encoding import to_form, to_vkscript
from vkanyio._masking import Secrets
from vkanyio._outcome import Success
from vkanyio._response import read_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio import RequestMode

SECRETS = Secrets("a-token-of-some-length-as-those-of-vk")
COMMON = {"v": "5.199"}
BATCH = 25

USER = {"id": 1, "first_name": "Anna", "last_name": "Melnik", "is_closed": False}
MESSAGE = {
    "peer_id": 2_000_000_001,
    "random_id": 77,
    "message": "Библиотека открыта сегодня до десяти. " * 5,
    "attachment": ["photo1_2", "photo1_3"],
    "dont_parse_links": True,
    "keyboard": {"inline": True, "buttons": [[{"action": {"type": "text"}}]]},
}


def parts() -> dict[str, Callable[[], object]]:
    """Return the parts by name."""
    return {**_limiter(), **_encoding(), **_packing(), **_reading()}


def _limiter() -> dict[str, Callable[[], object]]:
    return {
        "limiter: a request, in bursts": _permits("burst"),
        "limiter: a request, evenly spaced": _permits("sequential"),
    }


def _permits(request_mode: RequestMode) -> Callable[[], object]:
    """Return the work of a limiter for one request, with a full log."""
    limiter = Limiter(20, request_mode=request_mode)
    now = 0.0

    def start() -> None:
        nonlocal now
        now = max(now, limiter.ready_at(now))
        permit = limiter.start(now)
        limiter.left(permit, now)
        limiter.note_response(permit, now + 0.1)

    for _ in range(100):
        start()
    return start


def _encoding() -> dict[str, Callable[[], object]]:
    get = APIRequest("users.get", {"user_ids": [1]})
    send = APIRequest("messages.send", MESSAGE)
    return {
        "encoding: users.get, checked": lambda: APIRequest(
            "users.get", {"user_ids": [1]}
        ),
        "encoding: messages.send, checked": lambda: APIRequest(
            "messages.send", MESSAGE
        ),
        "encoding: users.get as a form": lambda: to_form({**COMMON, **get.params}),
        "encoding: messages.send as a form": lambda: to_form({**COMMON, **send.params}),
        "encoding: users.get in VKScript": lambda: to_vkscript(get.method, get.params),
        "encoding: messages.send in VKScript": lambda: to_vkscript(
            send.method, send.params
        ),
    }


def _packing() -> dict[str, Callable[[], object]]:
    gets = [APIRequest("users.get", {"user_ids": [n]}) for n in range(BATCH)]
    sends = [APIRequest("messages.send", MESSAGE) for _ in range(BATCH)]
    code = to_code(gets)
    execute = APIRequest("execute", {"code": code})
    return {
        f"batch: {BATCH} users.get joined": lambda: to_code(gets),
        f"batch: {BATCH} messages.send joined": lambda: to_code(sends),
        "batch: its request, checked": lambda: APIRequest("execute", {"code": code}),
        "batch: its form": lambda: to_form({**COMMON, **execute.params}),
    }


def _reading() -> dict[str, Callable[[], object]]:
    get = APIRequest("users.get", {"user_ids": [1]})
    gets = [APIRequest("users.get", {"user_ids": [n]}) for n in range(BATCH)]
    execute = APIRequest("execute", {"code": to_code(gets)})
    success, body = _response(failed=0)
    failing, failing_body = _response(failed=5)
    plain = _json({"response": [USER]})
    failure = _json({"error": {"error_code": 113, "error_msg": "Invalid user id"}})
    return {
        "response: of users.get": lambda: read_response(200, plain, get, SECRETS),
        "response: an error": lambda: read_response(200, failure, get, SECRETS),
        f"response: of {BATCH} calls": lambda: read_response(
            200, body, execute, SECRETS
        ),
        f"attribution: {BATCH} values": lambda: read_batch(
            gets, success, body, SECRETS
        ),
        "attribution: 20 values, 5 errors": lambda: read_batch(
            gets, failing, failing_body, SECRETS
        ),
    }


def _response(failed: int) -> tuple[Success, bytes]:
    values: list[Any] = [[USER]] * (BATCH - failed) + [False] * failed
    entry = {"method": "users.get", "error_code": 113, "error_msg": "Invalid user id"}
    entries = [entry] * failed
    body = _json({"response": values, "execute_errors": entries})
    return Success(values, entries), body


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
