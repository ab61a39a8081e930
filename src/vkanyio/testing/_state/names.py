"""The names of generated people and places, in two alphabets."""

# ruff: noqa: RUF001 - some Cyrillic letters look like Latin ones

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .._call import Call

FIRST_NAMES: Final = (
    ("Anna", "Анна"),
    ("Boris", "Борис"),
    ("Daria", "Дарья"),
    ("Egor", "Егор"),
    ("Irina", "Ирина"),
    ("Kirill", "Кирилл"),
    ("Olga", "Ольга"),
    ("Pavel", "Павел"),
)
"""Female and male names, alternating."""

LAST_NAMES: Final = (
    ("Belyak", "Беляк"),
    ("Chernenko", "Черненко"),
    ("Kovalenko", "Коваленко"),
    ("Melnik", "Мельник"),
    ("Sidorenko", "Сидоренко"),
    ("Tkach", "Ткач"),
)
"""Names with the same form for women and men."""

CITIES: Final = (
    (1, ("Moscow", "Москва")),
    (2, ("Saint Petersburg", "Санкт-Петербург")),
    (49, ("Yekaterinburg", "Екатеринбург")),
    (60, ("Kazan", "Казань")),
    (99, ("Novosibirsk", "Новосибирск")),
)
COUNTRY: Final = (1, ("Russia", "Россия"))

COMMUNITY: Final = ("Community", "Сообщество")

LANGUAGES: Final = ("ru", "uk", "be", "en", "es", "fi", "de", "it")
"""The values of ``lang`` in the order of their numbers, which VK also accepts."""

CYRILLIC: Final = ("ru", "uk", "be")


def alphabet(call: Call) -> int:
    """Return the alphabet for the names in a value.

    Without ``lang`` VK uses the language in the caller's profile; the simulator uses
    English.

    :param call: the call
    :return: 0 for Latin, 1 for Cyrillic
    """
    language = call.params.get("lang", "en").lower()
    if language.isdecimal() and int(language) < len(LANGUAGES):
        language = LANGUAGES[int(language)]
    return int(language in CYRILLIC)
