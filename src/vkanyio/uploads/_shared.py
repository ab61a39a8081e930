"""What the uploads of all kinds share: checks, and the way to the engine."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from .._encoding import encode_params
from .._errors import InvalidResponseError, VKError
from .._wire_checks import shown
from ._kinds import KINDS
from ._sources import File, check_file
from ._upload import FileUpload, Form, Patience

if TYPE_CHECKING:
    from .._caller import Caller
    from .._uploaded import Uploaded
    from ._sources import AnyFile, FileSource

Progress: TypeAlias = "Callable[[int, int], object]"
"""Called with the bytes that have been sent, and with all bytes."""


class KindUploads:
    """The base class of the uploads of each kind.

    :param caller: what makes the calls
    """

    def __init__(self, caller: Caller, patience: Patience | None = None) -> None:
        self._caller = caller
        self._patience = patience or Patience()

    async def _upload(
        self,
        kind: str,
        file: AnyFile,
        *,
        params: Mapping[str, Any] | None = None,
        save_params: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        progress: Progress | None,
    ) -> Uploaded[Any]:
        """Upload one file.

        :param params: of the method that returns the address
        :param save_params: of the method that saves the file
        :param form: further fields of the form
        """
        prepared = _prepare(params), _prepare(save_params)
        check_progress(progress)
        self._caller.check_usable()
        source = await check_file("file", file, KINDS[kind])
        found = await self._send(kind, [source], *prepared, form or {}, progress)
        return found[0]

    async def _upload_many(
        self,
        kind: str,
        files: Iterable[AnyFile],
        *,
        params: Mapping[str, Any],
        save_params: Mapping[str, Any] | None = None,
        progress: Progress | None,
    ) -> list[Uploaded[Any]]:
        """Upload any number of files, as many at a time as a form takes.

        All are checked first. If one of the forms fails, those before it are saved,
        which the error says.
        """
        prepared = _prepare(params), _prepare(save_params)
        check_progress(progress)
        self._caller.check_usable()
        if isinstance(files, str | bytes | bytearray | File) or not isinstance(
            files, Iterable
        ):
            message = f"files must be a list of files, got {type(files).__name__}"
            raise TypeError(message)
        row = KINDS[kind]
        sources = [
            await check_file(f"files[{i}]", file, row) for i, file in enumerate(files)
        ]
        if not sources:
            message = "files must contain at least one file, got none"
            raise ValueError(message)
        total, done = sum(source.size for source in sources), 0
        saved: list[Uploaded[Any]] = []
        for begin in range(0, len(sources), len(row.fields)):
            some = sources[begin : begin + len(row.fields)]
            report = None if progress is None else _shifted(progress, done, total)
            try:
                saved += await self._send(kind, some, *prepared, {}, report)
            except Exception as error:
                _tell_saved(error, saved)
                raise
            done += sum(source.size for source in some)
        return saved

    async def _send(
        self,
        kind: str,
        sources: list[FileSource],
        params: Mapping[str, Any],
        save_params: Mapping[str, Any],
        more: Mapping[str, str],
        progress: Progress | None,
    ) -> list[Uploaded[Any]]:
        row = KINDS[kind]
        upload = FileUpload(
            caller=self._caller,
            kind=row,
            form=Form(
                kind=kind,
                files=[*zip(row.fields, sources, strict=False)],
                more=more,
                on_progress=progress,
                patience=self._patience,
            ),
            params=params,
            save_params=save_params,
        )
        found = await upload.run()
        if not found:
            message = "VK saved no file, although it accepted one"
            raise InvalidResponseError(message, method=row.save, status=200, body=b"[]")
        return found


def check_progress(progress: object) -> None:
    """Refuse what cannot be called with the numbers of bytes."""
    if progress is None:
        return
    if not callable(progress) or inspect.iscoroutinefunction(progress):
        message = (
            "progress must be a function, not async, that takes two numbers of bytes,"
            f" got {shown(progress)}"
        )
        raise TypeError(message)


def _prepare(params: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Encode parameters early: those of the last call, too, are refused at once."""
    return encode_params(params or {})


def _shifted(progress: Progress, done: int, total: int) -> Progress:
    return lambda sent, _: progress(done + sent, total)


def _tell_saved(error: Exception, saved: list[Uploaded[Any]]) -> None:
    if not saved:
        return
    if isinstance(error, VKError):
        error.saved = (*saved,)
    error.add_note(f"{len(saved)} files were saved before this one")
