"""Reply to messages to a community until Ctrl-C or SIGTERM, across restarts.

Workers handle what VK reports: the messages of one conversation in order, those of
different ones at once. After the first signal, the workers finish what they have
received; a second signal cancels them. A file keeps what was handled.
"""

from __future__ import annotations

import logging
import os
import signal
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from vkanyio import API, VK, APIError, AuthError, OutcomeUnknownError, VKError
from vkanyio.updates import FilePosition, Gap, MessageNew, Update

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vkanyio.updates import BotUpdates

BASE_URL = os.environ.get("VKANYIO_BASE_URL", "https://api.vk.ru/method")
POSITION = os.environ.get("BOT_POSITION", "bot.json")
WORKERS = 20


async def main() -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with (
            VK(os.environ["VK_TOKEN"], base_url=BASE_URL, limit=20) as api,
            api.bot_updates(
                position=FilePosition(POSITION), kinds=[MessageNew]
            ) as updates,
            anyio.create_task_group() as tg,
        ):
            tg.start_soon(stop_on_signals, signals, updates, tg.cancel_scope)
            await updates.handle(
                partial(answer, api), workers=WORKERS, on_gap=catch_up, on_error=report
            )
            tg.cancel_scope.cancel()  # all done: stop waiting for signals


async def stop_on_signals(
    signals: AsyncIterator[signal.Signals],
    updates: BotUpdates,
    everything: anyio.CancelScope,
) -> None:
    async for _ in signals:
        break
    updates.stop()
    async for _ in signals:
        everything.cancel()


async def answer(api: API, update: MessageNew) -> None:
    message = update.object["message"]
    while True:
        try:
            await api.messages.send(
                peer_id=message["peer_id"],
                message=f"You said: {message['text']}",
                # With the same key, a reply that is sent again is a duplicate for VK.
                random_id=update.random_id(),
            )
        except VKError as error:
            if not error.is_transient and not isinstance(error, OutcomeUnknownError):
                raise
            # Not `print`, which raises if nobody reads the output any more.
            logging.warning("not answered yet: %s", error)
            await anyio.sleep(10)
        else:
            return


def catch_up(gap: Gap) -> None:
    logging.warning("VK has lost updates, perhaps unread messages: %s", gap)


def report(update: Update[Any], error: Exception) -> None:
    refused = isinstance(error, APIError) and not isinstance(error, AuthError)
    if isinstance(error, VKError) and not refused:
        raise error  # no update can be answered, such as with a revoked token
    # Such as a user who accepts no messages, or a mistake in `answer`. Raising it would
    # end the program, and again after each restart: the update is delivered again.
    logging.error("%s was not answered", update.type, exc_info=error)


if __name__ == "__main__":
    anyio.run(main)
