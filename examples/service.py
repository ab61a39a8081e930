"""Reply to messages to a community until Ctrl-C or SIGTERM.

One task looks for unread conversations and sends them to a few workers. The first
signal stops it, and the workers finish what they have received; a second signal
cancels them.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import anyio

from vkanyio import VK, APIError, OutcomeUnknownError, TransportError, VKError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.streams.memory import (
        MemoryObjectReceiveStream,
        MemoryObjectSendStream,
    )

    from vkanyio.objects.messages import Message

BASE_URL = os.environ.get("VK_BASE_URL", "https://api.vk.ru/method")
WORKERS = 4


async def main() -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with (
            VK(os.environ["VK_TOKEN"], base_url=BASE_URL, limit=20) as api,
            anyio.create_task_group() as tg,
        ):
            looking = anyio.CancelScope()
            tg.start_soon(stop_on_signals, signals, looking, tg.cancel_scope)
            await serve(api, looking)
            tg.cancel_scope.cancel()  # all done: stop waiting for signals


async def stop_on_signals(
    signals: AsyncIterator[signal.Signals],
    looking: anyio.CancelScope,
    everything: anyio.CancelScope,
) -> None:
    async for _ in signals:
        if looking.cancel_called:
            everything.cancel()
        looking.cancel()


async def serve(api: VK, looking: anyio.CancelScope) -> None:
    send, receive = anyio.create_memory_object_stream["Message"]()
    async with anyio.create_task_group() as tg, send:
        with receive:
            for _ in range(WORKERS):
                tg.start_soon(answer, api, receive.clone())
        with looking:
            await look(api, send)
        # `send` closes here, so the workers end when the stream is empty.


async def look(api: VK, send: MemoryObjectSendStream[Message]) -> None:
    while True:
        try:
            unread = await api.messages.getConversations(filter="unread", count=200)
        except VKError as error:
            if not error.is_transient:
                raise
            print("try later:", error)  # VK or the network is not well
        else:
            for item in unread["items"]:
                if "last_message" in item:
                    await send.send(item["last_message"])
        await anyio.sleep(1)


async def answer(api: VK, receive: MemoryObjectReceiveStream[Message]) -> None:
    with receive:
        async for message in receive:
            peer_id, text = message["peer_id"], f"You said: {message['text']}"
            try:
                # Within an hour, VK sends only one message with the same random_id, so
                # a message that was seen twice gets one reply.
                await api.messages.send(
                    peer_id=peer_id, message=text, random_id=message["id"]
                )
                await api.messages.markAsRead(peer_id=peer_id)
            except (APIError, TransportError, OutcomeUnknownError) as error:
                print(error)  # go on with the next message


if __name__ == "__main__":
    anyio.run(main)
