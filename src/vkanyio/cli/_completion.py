"""``vkanyio completion``: shell completion, also for methods and parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import click
from click.shell_completion import CompletionItem, get_completion_class

from . import _catalog as catalog
from ._common import COMPLETE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELLS = ("bash", "zsh", "fish")


if TYPE_CHECKING:
    _Word = click.ParamType[str]
else:
    _Word = click.ParamType  # not subscriptable before click 8.4


@final
class MethodName(_Word):
    """The name of a VK method."""

    name = "method"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return the names that start with the incomplete word."""
        found = (name for name in catalog.names() if name.startswith(incomplete))
        return [CompletionItem(name) for name in found]


@final
class ParameterWord(_Word):
    """``NAME=VALUE`` for the method on the same command line."""

    name = "parameter"

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return names of parameters, and values if VK has a list of them."""
        method = catalog.find(ctx.params.get("method") or "")
        given = {word.partition("=")[0] for word in ctx.params.get("params") or ()}
        parameters = () if method is None else method.parameters
        words = [
            word
            for parameter in parameters
            if parameter.name not in given
            for word in _words(parameter, has_name="=" in incomplete)
        ]
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def _words(parameter: catalog.Parameter, *, has_name: bool) -> Iterator[str]:
    if not has_name:
        yield f"{parameter.name}="
        return
    kinds = [parameter.type, *(kind for _, kind in catalog.named_types(parameter.type))]
    for kind in kinds:
        if not isinstance(kind, str) and "enum" in kind:
            yield from (f"{parameter.name}={value}" for value in kind["enum"])


METHOD = MethodName()
PARAMETERS = ParameterWord()


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print a script that enables completion in SHELL.

    It also completes VK's methods and their parameters.

    \b
    Example:
      vkanyio completion bash > ~/.local/share/bash-completion/completions/vkanyio
      vkanyio completion zsh > ~/.zfunc/_vkanyio     (a directory of your $fpath)
      vkanyio completion fish > ~/.config/fish/completions/vkanyio.fish
    """
    root = ctx.find_root()
    made = get_completion_class(shell)
    assert made is not None  # click knows these shells
    click.echo(made(root.command, {}, "vkanyio", COMPLETE_VARIABLE).source())
    return 0
