"""Post to the wall, and ask a person to solve the captcha if VK requires one."""

from __future__ import annotations

import os

import anyio
from anyio import to_thread

from vkanyio import VK, Captcha, CaptchaError

BASE_URL = os.environ.get("VKANYIO_BASE_URL", "https://api.vk.ru/method")


async def main() -> None:
    async with VK(
        os.environ["VK_TOKEN"], base_url=BASE_URL, on_captcha=ask_a_person
    ) as api:
        try:
            post = await api.wall.post(message="Hello from vkanyio")
        except CaptchaError as error:
            print("Not posted:", error)
        else:
            print("Posted, the number is", post["post_id"])


async def ask_a_person(captcha: Captcha) -> None:
    """Answer a captcha of either kind; called again after a wrong answer."""
    if captcha.redirect_uri:  # since 2025: a page that returns a token
        print("Open", captcha.redirect_uri)
        question = "success_token: "
    else:
        print("Look at", captcha.img)
        question = "Text in the picture: "
    # In a thread, since input() blocks; abandoned if the call is cancelled.
    answer = await to_thread.run_sync(input, question, abandon_on_cancel=True)
    if answer:  # without an answer, the call raises CaptchaError
        await captcha.retry(answer)


if __name__ == "__main__":
    anyio.run(main)
