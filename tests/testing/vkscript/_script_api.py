"""An API for scripts to call, and a function that runs them."""

from __future__ import annotations

import json
from typing import Any

from vkanyio.testing import VKFault
from vkanyio.testing.vkscript import RuntimeFailure, ScriptCompileError, run


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


async def evaluate(code: str, api: Api | None = None, **options: Any) -> Any:
    """Run a script, and return its value or the error's code and detail."""
    try:
        return (await run(code, call=api or Api(), **options)).response
    except (ScriptCompileError, RuntimeFailure) as error:
        return f"{error.code} {error.detail}"
