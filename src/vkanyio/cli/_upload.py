"""``vkanyio upload``: send a file, and print what can be attached."""

from __future__ import annotations

import inspect
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

import click
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from .. import VK, Config, VKError
from .._similar import did_you_mean
from ..uploads import Uploader
from ._common import (
    WRONG_USAGE,
    CommandError,
    Interrupted,
    make_console,
    run_async,
)
from ._explain import command_error
from ._options import ClientOptions, client_options
from ._output import print_json
from ._params import parse_params

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from ..uploads import Uploaded

_NO_KINDS = ("options", "raw", "save")
KINDS = tuple(
    name
    for name, _ in inspect.getmembers(Uploader, inspect.isfunction)
    if not name.startswith("_") and name not in _NO_KINDS
)
_PARAMETER = re.compile(r"[a-z][a-z0-9_]*(:=@|:=|=|@).*|@.+", re.DOTALL)


def _complete_kind(_: object, __: object, incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


@click.command(no_args_is_help=True, epilog=f"The kinds: {', '.join(KINDS)}.")
@click.argument("kind", metavar="KIND", shell_complete=_complete_kind)
@click.argument("words", metavar="FILE... [NAME=VALUE]...", nargs=-1, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print VK's object as JSON.")
@client_options
def upload(
    kind: str, words: tuple[str, ...], as_json: bool, client: ClientOptions
) -> int:
    """Upload FILE and print its attachment, such as photo1_2_key.

    KIND says what it is for, such as message_photo or document; see below for all
    kinds. album_photos and market_photos take several files, and video_by_link takes a
    URL.

    NAME=VALUE is as for `vkanyio call`. Write ./NAME=VALUE for a file whose name looks
    like that. What cannot be attached, such as a cover, is printed as JSON.

    \b
    Example:
      vkanyio upload message_photo cat.jpg peer_id=1
    """
    if kind not in KINDS:
        known = f"; there are {', '.join(KINDS)}"
        meant = did_you_mean(kind, KINDS, most=3) or known
        raise CommandError(f"there is no upload of kind {kind!r}{meant}", WRONG_USAGE)
    files = [word for word in words if not _PARAMETER.fullmatch(word)]
    params = parse_params([word for word in words if _PARAMETER.fullmatch(word)])
    arguments = _arguments(kind, files, params)
    run = _Run(kind, arguments)
    config = client.config()
    try:
        found = run_async(client.backend, lambda: run.run(config))
    except Interrupted as interrupted:
        raise Interrupted(run.place, signum=interrupted.signum) from None
    except VKError as error:
        raise command_error(error) from error
    except OSError as error:
        message = f"cannot read {error.filename!r}: {error.strerror}"
        raise CommandError(message, WRONG_USAGE) from None
    except (TypeError, ValueError) as error:
        raise CommandError(str(error), WRONG_USAGE) from None
    for uploaded in found:
        _print(uploaded, as_json=as_json)
    return 0


def _arguments(
    kind: str, files: list[str], params: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments of the method of a kind.

    :raises CommandError: for another number of files, and unknown or missing parameters
    """
    parameters = inspect.signature(getattr(Uploader, kind)).parameters
    what = next(name for name in parameters if name != "self")
    if what == "files":
        given: Any = files
    elif len(files) == 1:
        [given] = files
    else:
        message = f"{kind} takes one {what}, got {len(files)}: {' '.join(files)}"
        raise CommandError(message.rstrip(": "), WRONG_USAGE)
    expected = [name for name in parameters if name not in ("self", what, "progress")]
    for name in params:
        if name not in expected:
            meant = did_you_mean(name, expected) or f"; it has {', '.join(expected)}"
            message = f"{kind} has no parameter {name!r}{meant}"
            raise CommandError(message, WRONG_USAGE)
    for name in expected:
        if parameters[name].default is inspect.Parameter.empty and name not in params:
            raise CommandError(f"{kind} needs {name}", WRONG_USAGE)
    return {what: given, **params}


@final
class _Run:
    """One run of the command.

    :param arguments: of the method of the kind
    """

    def __init__(self, kind: str, arguments: Mapping[str, Any]) -> None:
        self._kind = kind
        self._arguments = arguments
        self._sent = 0
        self._total = 0

    @property
    def place(self) -> str:
        """How far it has come, for a person who has interrupted it."""
        if not self._total:
            return "interrupted before anything was sent"
        place = f"interrupted after {self._sent:,} of {self._total:,} bytes"
        is_sent = self._sent == self._total
        return f"{place}: VK may have saved it" if is_sent else place

    async def run(self, config: Config) -> list[Uploaded[Any]]:
        """Upload the files, and return what came of them."""
        async with VK.from_config(config) as api:
            method = getattr(api.upload, self._kind)
            if self._kind == "video_by_link":
                return [await method(**self._arguments)]
            with _bar() as (bar, task):

                def show(sent: int, total: int) -> None:
                    self._sent, self._total = sent, total
                    bar.update(task, completed=sent, total=total, visible=True)

                found: Uploaded[Any] | list[Uploaded[Any]] = await method(
                    **self._arguments, progress=show
                )
        return found if isinstance(found, list) else [found]


def _print(uploaded: Uploaded[Any], *, as_json: bool) -> None:
    if not as_json:
        try:
            click.echo(uploaded.to_vk())
        except TypeError:  # it cannot be attached
            as_json = True
    if as_json:
        print_json(uploaded.object)


@contextmanager
def _bar() -> Generator[tuple[Progress, Any]]:
    """Show a progress bar, if standard error is a terminal."""
    console = make_console(stderr=True)
    is_shown = console.is_terminal and not console.is_dumb_terminal
    progress = Progress(
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
        redirect_stdout=False,
        disable=not is_shown,
    )
    with progress:
        yield progress, progress.add_task("", visible=False)
