"""Uploads of files: ``api.upload``.

``import vkanyio`` loads none of it.
"""

from __future__ import annotations

from .._uploaded import UnsavedUpload as UnsavedUpload
from .._uploaded import Uploaded as Uploaded
from ._sources import AnyFile as AnyFile
from ._sources import File as File
from ._uploader import Uploader as Uploader
