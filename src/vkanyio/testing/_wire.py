"""HTTP requests and responses, as bytes: parsing the former, making the latter."""

from __future__ import annotations

import email.message
import email.parser
import hashlib
import json
from typing import TYPE_CHECKING, final
from urllib.parse import parse_qsl

import attrs

from ._errors import JSON, VKFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._uploading import UploadBody

PREFIX = "/method/"

UPLOAD_PREFIX = "/upload/"
"""The path prefix of the upload URLs that methods return."""

POLL_PREFIX = "/lp/"
"""The path prefix of the long poll servers."""

MAX_TARGET = 8192
"""Bytes of path and query, nginx's default limit. VK's nginx returns 414 for longer GET
requests, as bug reports of several clients show."""

MAX_BODY = 16 * 2**20
MAX_UPLOAD = 200 * 2**20
"""Bytes of a body. VK returns 413 for larger ones, which its SDK for Android handles
(https://github.com/VKCOM/vk-android-sdk). The limit is not documented, except that a
document may have 200 MB."""


def max_body(path: str) -> int:
    """Return how many bytes the body of a request to a path may have."""
    return MAX_UPLOAD if path.startswith(UPLOAD_PREFIX) else MAX_BODY


@final
@attrs.frozen(kw_only=True)
class SimulatedFile:
    """An uploaded file, without its content."""

    field: str
    name: str
    size: int
    digest: str = ""
    """A hash of the content."""

    @property
    def extension(self) -> str:
        """The part of the name after the last dot, in lower case."""
        return self.name.rpartition(".")[2].lower() if "." in self.name else ""


@attrs.frozen
class _Part:
    field: str
    filename: str | None
    content: bytes = attrs.field(repr=False)


@final
@attrs.frozen(kw_only=True)
class Request:
    """A complete HTTP request."""

    verb: str
    path: str
    query: bytes = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    """The names are in lower case."""
    body: bytes = attrs.field(repr=False)
    scheme: str = "https"
    arriving: UploadBody | None = None
    """How the body of an upload arrived, None for other requests."""
    peer: str = ""
    """The address of the client, as the server sees it."""

    @property
    def address(self) -> str:
        """The address of the client, also behind a proxy that names it."""
        return self.headers.get("x-forwarded-for", self.peer)

    @property
    def origin(self) -> str:
        """The scheme and host that the client used."""
        return f"{self.scheme}://{self.headers.get('host', 'api.vk.ru')}"

    @property
    def upload(self) -> str | None:
        """The last part of an upload path, or None for other paths."""
        if not self.path.startswith(UPLOAD_PREFIX):
            return None
        return self.path.removeprefix(UPLOAD_PREFIX)

    @property
    def poll(self) -> str | None:
        """The last part of the path of a long poll server, or None for other paths."""
        if not self.path.startswith(POLL_PREFIX):
            return None
        return self.path.removeprefix(POLL_PREFIX)

    @property
    def oversize(self) -> tuple[int, str] | None:
        """The status and title of the error page if the request is too large."""
        if len(self.path) + len(self.query) > MAX_TARGET:
            return 414, "Request-URI Too Large"
        if len(self.body) > max_body(self.path):
            return 413, "Request Entity Too Large"
        return None

    @property
    def method(self) -> str | None:
        """The name of the VK method, or None for other paths."""
        if not self.path.startswith(PREFIX):
            return None
        return self.path.removeprefix(PREFIX)

    def params(self) -> dict[str, str]:
        """Return the parameters; the body takes precedence over the query.

        :return: names and values, including ``access_token`` if it was sent
        :raises VKFault: code 8, for a body that VK does not read: it accepts urlencoded
            and multipart forms, but not JSON (https://dev.vk.com/api/api-requests)
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

    def files(self) -> list[SimulatedFile]:
        """List the files of a multipart body, without their content."""
        parts = _multipart(self.headers.get("content-type", ""), self.body)
        return [
            SimulatedFile(
                field=part.field,
                name=part.filename,
                size=len(part.content),
                digest=hashlib.blake2b(part.content, digest_size=16).hexdigest(),
            )
            for part in parts
            if part.filename is not None
        ]

    def query_params(self) -> dict[str, str]:
        """Return only the parameters of the query."""
        return _urlencoded(self.query)

    def token(self, params: Mapping[str, str]) -> str:
        """Return the access token from the header or the parameters.

        :param params: what :meth:`params` returned
        :return: the token, empty if there is none
        """
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return token.strip()
        return params.get("access_token", "")


PIECES = 100
"""Into how many pieces a slow body is divided."""


@final
@attrs.frozen
class SimulatedResponse:
    """An HTTP response."""

    body: bytes
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    lasting: float = 0.0
    """Seconds over which the body is sent."""
    cut: int | None = None
    """The number of bytes of the body after which the connection breaks, if any."""
    more_headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Further headers, with names in lower case."""

    def pieces(self) -> list[tuple[float, bytes]]:
        """Divide the body into the pieces that are sent separately.

        :return: the pieces, each with the seconds to wait before it
        """
        body = self.body[: self.cut]
        if not self.lasting or not body:
            return [(self.lasting, body)]
        size = -(-len(body) // PIECES)
        pieces = [body[i : i + size] for i in range(0, len(body), size)]
        return [(self.lasting / len(pieces), piece) for piece in pieces]

    @property
    def headers(self) -> dict[str, str]:
        """The headers, with names in lower case."""
        return {
            "content-type": self.content_type,
            "content-length": str(len(self.body)),
            **self.more_headers,
        }


def value_response(
    value: JSON, execute_errors: Sequence[JSON] = ()
) -> SimulatedResponse:
    """Make the response with the value of a method.

    :param value: the value
    :param execute_errors: the failures within an ``execute``; VK sends the key only if
        there are any
    :return: the response
    """
    envelope: dict[str, JSON] = {"response": value}
    if execute_errors:
        envelope["execute_errors"] = list(execute_errors)
    return _json_response(envelope)


def error_response(
    fault: VKFault, method: str, params: Mapping[str, str]
) -> SimulatedResponse:
    """Make the response with an error; VK sends all of them with status 200.

    :param fault: the error
    :param method: the method that was called
    :param params: its parameters, which VK echoes without the token
    :return: the response
    """
    sent = {"method": method, "oauth": "1", **params}
    sent.pop("access_token", None)
    error = {
        "error_code": fault.code,
        "error_msg": fault.message,
        **fault.extra,
        "request_params": [{"key": key, "value": sent[key]} for key in sent],
    }
    return _json_response({"error": error})


def bare_response(value: JSON) -> SimulatedResponse:
    """Make the response of an upload or long poll server, which has no envelope.

    :param value: the JSON value
    :return: the response
    """
    return _json_response(value)


def html_response(status: int, title: str) -> SimulatedResponse:
    """Make an error page like those of the web server in front of VK.

    :param status: the HTTP status
    :param title: the text of the page
    :return: the response
    """
    page = (
        f"<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} {title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return SimulatedResponse(page.encode(), status, "text/html")


def _json_response(envelope: JSON) -> SimulatedResponse:
    text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
    return SimulatedResponse(text.encode())


def _urlencoded(form: bytes) -> dict[str, str]:
    text = form.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True))


def _multipart(content_type: str, body: bytes) -> Iterator[_Part]:
    """Parse a multipart body as bytes, because files are not text.

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
