"""Tokens of VK ID, which are valid for an hour: stored, and renewed by the client.

::

    vkid = VKID(client_id=51_000_000, store=FileTokens("tokens.json"))
    async with VK(vkid, limit=3) as api:
        ...

The first tokens come from :meth:`VKID.exchange`. The guide "Tokens that refresh" shows
the whole way.
"""

from __future__ import annotations

from ._file_tokens import FileTokens as FileTokens
from ._tokens import StoredTokens as StoredTokens
from ._tokens import TokenStore as TokenStore
from ._tokens import VKIDError as VKIDError
from ._vkid import VKID as VKID
from ._vkid import new_code_verifier as new_code_verifier

for _public in (
    FileTokens,
    StoredTokens,
    TokenStore,
    VKID,
    VKIDError,
    new_code_verifier,
):
    _public.__module__ = __name__
del _public
