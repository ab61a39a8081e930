"""Uploaded files: those that VK has saved, and those that it has not saved yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

T_co = TypeVar("T_co", covariant=True)


@final
@attrs.frozen
class Uploaded(Generic[T_co]):
    """A file that VK has saved.

    Pass it as a parameter where VK expects it: ``attachment=[photo]``,
    ``main_photo_id=photo``. ``str(photo)`` is the same as text, "photo1_2_key".

    :ivar object: what VK returned for it, unchanged
    :ivar kind: the method of ``api.upload``, such as "message_photo"
    """

    __module__ = "vkanyio.uploads"

    object: T_co
    kind: str
    _reference: str | int | None = attrs.field(default=None, repr=False)

    def __str__(self) -> str:
        return repr(self) if self._reference is None else str(self._reference)

    def to_vk(self) -> str | int:
        """Return the file as VK's parameters take it: "photo1_2_key", or an id.

        :raises TypeError: if VK has no such thing, as for a cover
        """
        if self._reference is None:
            message = (
                f"the result of upload.{self.kind} cannot be a parameter: VK has no id"
                " or attachment for it"
            )
            raise TypeError(message)
        return self._reference


@final
@attrs.frozen
class UnsavedUpload:
    """A file that an upload server has accepted, and the parameters that save it.

    ``api.upload.save`` takes it. How long VK keeps such a file is not known.

    :ivar kind: the method of ``api.upload``, such as "message_photo"
    :ivar params: the parameters of the method that saves it
    """

    __module__ = "vkanyio.uploads"

    kind: str
    params: Mapping[str, Any] = attrs.field(repr=False)
