"""An API for scripts to call, and what comes of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from vkanyio.testing import VKFault
from vkanyio.testing.vkscript import CompileError, RuntimeFailure, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Api:
    """Answers ``test.echo`` with the parameters and ``test.json`` with its ``text``."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []

    def __call__(self, method: str, params: dict[str, str]) -> Any:
        self.calls.append((method, params))
        if method == "test.echo":
            return params
        if method == "test.json":
            return json.loads(params["text"])
        if method == "test.fail":
            raise VKFault(int(params.get("code", "1")), "No luck")
        raise VKFault(3)


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def evaluate(api: Api) -> Callable[..., Awaitable[Any]]:
    """Runs a script, and returns its answer or the error's text."""

    async def evaluate(code: str, **options: Any) -> Any:
        try:
            return (await run(code, call=api, **options)).response
        except (CompileError, RuntimeFailure) as error:
            return f"{error.code} {error.detail}"

    return evaluate
