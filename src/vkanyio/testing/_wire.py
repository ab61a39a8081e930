"""HTTP in, HTTP out: what of VK's interface has to do with bytes."""

from __future__ import annotations

import email.message
import email.parser
import json
from typing import TYPE_CHECKING, final
from urllib.parse import parse_qsl

import attrs

from ._errors import JSON, VKFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PREFIX = "/method/"

UPLOAD_PREFIX = "/upload/"
"""Where the addresses lead to that methods give out for files."""

LONGEST_TARGET = 8192
"""Bytes of path and query that nginx takes by default. VK's nginx answers 414 to
GET requests that are too long, as bug reports of several clients show."""

LARGEST_BODY = 16 * 2**20
LARGEST_UPLOAD = 200 * 2**20
"""Bytes of a body. VK answers 413 to what is too large, which its own SDK for Android
knows how to take (https://github.com/VKCOM/vk-android-sdk); how much that is, it does
not tell, except that a document may have 200 MB."""


@final
@attrs.frozen(kw_only=True)
class File:
    """A file that was uploaded, without what is in it."""

    field: str
    name: str
    size: int

    @property
    def extension(self) -> str:
        """What follows the last dot of the name, in lower case."""
        return self.name.rpartition(".")[2].lower() if "." in self.name else ""


@attrs.frozen
class _Part:
    field: str
    filename: str | None
    content: bytes = attrs.field(repr=False)


@final
@attrs.frozen(kw_only=True)
class Request:
    """An HTTP request that has arrived as a whole."""

    verb: str
    path: str
    query: bytes = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    """By lower-case names."""
    body: bytes = attrs.field(repr=False)
    scheme: str = "https"

    @property
    def origin(self) -> str:
        """Scheme and host, as the client wrote them."""
        return f"{self.scheme}://{self.headers.get('host', 'api.vk.ru')}"

    @property
    def upload(self) -> str | None:
        """The last part of an address for files, or None for another path."""
        if not self.path.startswith(UPLOAD_PREFIX):
            return None
        return self.path.removeprefix(UPLOAD_PREFIX)

    @property
    def oversize(self) -> tuple[int, str] | None:
        """What a web server says to a request that is too large, if it is."""
        if len(self.path) + len(self.query) > LONGEST_TARGET:
            return 414, "Request-URI Too Large"
        largest = LARGEST_BODY if self.upload is None else LARGEST_UPLOAD
        if len(self.body) > largest:
            return 413, "Request Entity Too Large"
        return None

    @property
    def method(self) -> str | None:
        """The name of VK's method, or None if the path leads elsewhere."""
        if not self.path.startswith(PREFIX):
            return None
        return self.path.removeprefix(PREFIX)

    def params(self) -> dict[str, str]:
        """Read the parameters, those of the body before those of the query.

        :return: names and values, ``access_token`` among them if it is there
        :raises VKFault: code 8, for a body that VK does not read: it takes forms,
            urlencoded and multipart, but no JSON (https://dev.vk.com/api/api-requests)
        """
        params = _urlencoded(self.query)
        if self.body:
            content_type = self.headers.get("content-type", "")
            kind = content_type.partition(";")[0].strip().lower()
            if kind == "application/x-www-form-urlencoded":
                params |= _urlencoded(self.body)
            elif kind == "multipart/form-data":
                params |= {
                    part.field: part.content.decode("utf-8", "replace")
                    for part in _multipart(content_type, self.body)
                }
            else:
                raise VKFault(8, f"Invalid request: cannot read a body of {kind!r}")
        return params

    def files(self) -> list[File]:
        """Read the files of a multipart body, without what is in them."""
        parts = _multipart(self.headers.get("content-type", ""), self.body)
        return [
            File(field=part.field, name=part.filename, size=len(part.content))
            for part in parts
            if part.filename is not None
        ]

    def query_params(self) -> dict[str, str]:
        """Read the parameters of the query alone."""
        return _urlencoded(self.query)

    def token(self, params: Mapping[str, str]) -> str:
        """Find the access token, in the header or among the parameters.

        :param params: what :meth:`params` returned
        :return: the token, empty if there is none
        """
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return token.strip()
        return params.get("access_token", "")


PIECES = 100
"""Into how many pieces a body is divided that takes its time."""


@final
@attrs.frozen
class Answer:
    """An HTTP response."""

    body: bytes
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    lasting: float = 0.0
    """Seconds that the body takes, in which its bytes come by and by."""
    cut: int | None = None
    """After how many bytes of the body the connection breaks, if it does."""

    def pieces(self) -> list[tuple[float, bytes]]:
        """Divide the body into what is sent at a time.

        :return: the pieces, each with the seconds of silence before it
        """
        body = self.body[: self.cut]
        if not self.lasting or not body:
            return [(self.lasting, body)]
        size = -(-len(body) // PIECES)
        pieces = [body[i : i + size] for i in range(0, len(body), size)]
        return [(self.lasting / len(pieces), piece) for piece in pieces]

    @property
    def headers(self) -> dict[str, str]:
        """The headers, by lower-case names."""
        return {
            "content-type": self.content_type,
            "content-length": str(len(self.body)),
        }


def response_answer(value: JSON, execute_errors: Sequence[JSON] = ()) -> Answer:
    """Wrap a method's value.

    :param value: what the method returns
    :param execute_errors: the failures within an ``execute``; VK sends the key only if
        there are any
    :return: the answer
    """
    envelope: dict[str, JSON] = {"response": value}
    if execute_errors:
        envelope["execute_errors"] = list(execute_errors)
    return _json_answer(envelope)


def error_answer(fault: VKFault, method: str, params: Mapping[str, str]) -> Answer:
    """Wrap a refusal, under status 200 as all of VK's errors are.

    :param fault: the error
    :param method: the method that was called
    :param params: the parameters that came with it, which VK repeats without the token
    :return: the answer
    """
    sent = {"method": method, "oauth": "1", **params}
    sent.pop("access_token", None)
    error = {
        "error_code": fault.code,
        "error_msg": fault.message,
        **fault.extra,
        "request_params": [{"key": key, "value": sent[key]} for key in sent],
    }
    return _json_answer({"error": error})


def upload_answer(value: JSON) -> Answer:
    """Answer as an upload server does, which knows no envelope.

    :param value: what it says
    :return: the answer
    """
    return _json_answer(value)


def html_answer(status: int, title: str) -> Answer:
    """Make a page as a web server in front of VK sends it.

    :param status: the HTTP status
    :param title: what the page says
    :return: the answer
    """
    page = (
        f"<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} {title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return Answer(page.encode(), status, "text/html")


def _json_answer(envelope: JSON) -> Answer:
    text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
    return Answer(text.encode())


def _urlencoded(form: bytes) -> dict[str, str]:
    text = form.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True))


def _multipart(content_type: str, body: bytes) -> Iterator[_Part]:
    """Take a body apart, to the byte: files are no text.

    :return: the parts that have a name
    """
    message = email.message.Message()
    message["Content-Type"] = content_type
    if (boundary := message.get_boundary()) is None:
        return
    delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
    for part in (b"\r\n" + body).split(delimiter)[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        text = head.decode("utf-8", "replace").strip()
        headers = email.parser.HeaderParser().parsestr(text)
        field = headers.get_param("name", header="content-disposition")
        if isinstance(field, str):
            yield _Part(field, headers.get_filename(), content)
