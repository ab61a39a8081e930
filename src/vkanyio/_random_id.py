"""A deduplication key for messages that is the same whenever it is computed."""

from __future__ import annotations

from hashlib import blake2b


def random_id(*parts: str | int) -> int:
    """Derive the ``random_id`` of a message from what the message is about.

    ::

        await api.messages.send(
            peer_id=peer, message="Paid", random_id=random_id("paid", order_id)
        )

    VK delivers a message once an hour for each peer and ``random_id``. A program that
    was restarted, and sends its message again, does not send it twice.

    The result is the same in every process and version. The parts are kept apart:
    ``random_id("1", "23")`` differs from ``random_id("12", "3")``. Numbers equal their
    text: ``random_id(7)`` is ``random_id("7")``.

    :param parts: strings and integers, such as an id of an update and a number
    :return: an integer from 1 to 2³¹ - 1, never 0, which VK takes for no key
    :raises TypeError: for a part of another type
    :raises ValueError: if there is nothing to derive it from
    """
    for number, part in enumerate(parts, 1):
        if not isinstance(part, str | int):
            message = (
                f"part {number} of a random_id must be a str or an int, got"
                f" {type(part).__name__}: pass its str(...), if that never changes"
            )
            raise TypeError(message)
    written = [_written(part) for part in parts]
    if not any(written):
        message = "random_id needs at least one part that identifies this message"
        raise ValueError(message)
    # Each part after its length, so that two lists of parts are never the same bytes.
    data = b"".join(b"%d:%b" % (len(part), part) for part in written)
    digest = blake2b(data, digest_size=8).digest()
    return int.from_bytes(digest, "big") % (2**31 - 1) + 1


def _written(part: str | int) -> bytes:
    text = str.__str__(part) if isinstance(part, str) else int.__repr__(part)
    return text.encode(errors="surrogatepass")  # JSON may have lone surrogates


random_id.__module__ = "vkanyio"
