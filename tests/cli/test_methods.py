from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from vkanyio import ErrorCode
from vkanyio._facts import Repetition
from vkanyio._method_facts import METHODS
from vkanyio.cli import _catalog as catalog
from vkanyio.cli._app import run

from .conftest import run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    Look: TypeAlias = Callable[..., str]


@pytest.fixture
def look(capsys: pytest.CaptureFixture[str]) -> Look:
    """Looks something up, and returns the output."""

    def look_up(*words: str) -> str:
        assert run(["methods", *words]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return look_up


def test_without_words_all_groups_are_there(look: Look) -> None:
    lines = look().splitlines()
    assert len(lines) == len(catalog.groups())
    counts = {line.split()[0]: int(line.split()[1]) for line in lines}
    assert counts["users"] == 5
    assert sum(counts.values()) == len(METHODS)


def test_a_group_lists_its_methods_with_what_they_need(look: Look) -> None:
    lines = [line.split("  ") for line in look("users").splitlines()]
    assert [line[0] for line in lines] == catalog.groups()["users"]
    [report] = [line for line in lines if line[0] == "users.report"]
    assert [cell.strip() for cell in report if cell.strip()] == [
        *("users.report", "user_id, type", "user", "not repeatable")
    ]


def test_a_list_has_no_line_that_is_broken_or_ends_in_spaces(look: Look) -> None:
    lines = look("get").splitlines()
    assert all(line == line.rstrip() for line in lines)
    assert all(line.split()[0] in METHODS for line in lines)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (("get", "by", "id"), "docs.getById"),
        (("getById",), "docs.getById"),
        (("users", "get"), "users.get"),
        (("SEND",), "messages.send"),
        (("conversation", "member"), "messages.getConversationMembers"),
        (("chat_user",), "messages.addChatUser"),
    ],
)
def test_words_find_the_methods_that_have_them_the_best_first(
    look: Look, words: tuple[str, ...], first: str
) -> None:
    assert look(*words).splitlines()[0].split()[0] == first


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("users.gte", "users.get"),
        ("groups.get_by_id", "groups.getById"),
        ("GROUPS.GETBYID", "groups.getById"),
        ("usres", "users"),
    ],
)
def test_a_near_miss_gets_a_suggestion(
    asked: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["methods", asked])
    out, err = capsys.readouterr()
    if out:  # snake_case and capitals are found by their words
        assert (code, out.split()[0]) == (0, meant)
    else:
        assert code == 2
        assert f"did you mean {meant}" in err
        assert err.count("\n") == 1


@pytest.mark.parametrize("word", ["xylophone", "", "."])
def test_what_is_like_nothing_is_one_line(
    capsys: pytest.CaptureFixture[str], word: str
) -> None:
    assert run(["methods", word]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"vkanyio: VK's schema has no method like {word!r}\n")


def test_a_method_is_shown_with_all_that_is_known(look: Look) -> None:
    out = look("wall.createComment")
    for shown in [
        "https://dev.vk.com/method/wall.createComment",
        "user, group",
        "retried with its key guid, if you give one",
        "may be packed into execute",
        "required; 0 or more",
        "id of a user, or of a community",
        "wall.CreateCommentResponse",
        "  212  WALL_ACCESS_REPLIES",
    ]:
        assert shown in out


def test_parameters_have_their_types_limits_and_values(look: Look) -> None:
    lines = [" ".join(line.split()) for line in look("users.get").splitlines()]
    text = " ".join(lines)
    assert "user_ids list of int or str; ids of users; at most 1000" in text
    assert (
        "name_case base.NameCase; nom = nominative, gen = genitive, dat = dative,"
        in text
    )
    assert "nom, gen, dat, acc, ins, abl" in lines
    assert "(omitted ones and null are not sent)" in " ".join(lines)


def test_a_type_that_parameters_choose_is_shown_with_them(look: Look) -> None:
    out = look("wall.get")
    assert "wall.GetResponse (without extended)" in out
    assert "wall.GetExtendedResponse (with extended)" in out


@pytest.mark.parametrize("group", catalog.groups())
def test_every_method_can_be_shown(look: Look, group: str) -> None:
    for name in catalog.groups()[group]:
        out = look(name)
        assert out.startswith(f"{name}\n")
        assert out.splitlines().count(name) == 1  # not repeated, as below a pager
        method = catalog.find(name)
        assert method is not None
        for parameter in method.parameters:
            assert f"\n  {parameter.name}" in out
        assert max(map(len, out.splitlines())) <= 80
        found = json.loads(look(name, "--json"))
        names = [parameter.name for parameter in method.parameters]
        assert [parameter["name"] for parameter in found["parameters"]] == names
        for each in found["errors"]:
            assert ErrorCode(each["code"]).name == each["name"]


def test_json_is_for_programs(look: Look) -> None:
    assert json.loads(look("--json"))["users"][0] == "users.get"
    found: Any = json.loads(look("users", "--json"))
    assert [each["method"] for each in found] == catalog.groups()["users"]
    found = json.loads(look("messages.send", "--json"))
    assert found["documentation"] == "https://dev.vk.com/method/messages.send"
    assert (found["repetition"], found["key"], found["packed"]) == (
        *("keyed", "random_id"),
        True,
    )
    assert found["errors"][0].keys() == {"code", "name"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_headings_within_its_width() -> None:
    code, shown = run_on_terminal("methods", "users")
    assert code == 0
    assert "repetition" in shown
    assert "\x1b[1m" in shown
    lines = shown.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert max(map(len, lines)) <= 80


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_narrow_terminal_breaks_no_kind_of_repetition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAGER", "cat")
    code, shown = run_on_terminal("methods", "messages")
    assert code == 0
    assert max(map(len, shown.splitlines()[4:])) <= 80
    state_setting = [line for line in shown.splitlines() if "state-setting" in line]
    facts = [METHODS[name] for name in METHODS if name.startswith("messages.")]
    assert len(state_setting) == sum(
        each.repetition is Repetition.STATE for each in facts
    )
    assert any("markAsImportantConversation" in line for line in state_setting)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("name", "is_paged"), [("messages.send", True), ("status.get", False)]
)
def test_what_is_longer_than_a_terminal_is_shown_by_pages(
    name: str, is_paged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER", "sed s/^/page:/")
    code, shown = run_on_terminal("methods", name)
    assert code == 0
    assert ("page:" in shown) is is_paged
    assert shown.count(f"\x1b[1m{name}\x1b[0m") == 1  # the pager gets no styles
    assert "https://dev.vk.com/api/bots/development/keyboard" in shown or not is_paged
    assert f"https://dev.vk.com/method/{name}" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("name", "required"), [("messages.send", []), ("market.add", ["owner_id", "name"])]
)
def test_below_the_pager_are_the_names_of_a_method_and_of_its_parameters(
    name: str, required: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER", "sed s/^/page:/")
    code, shown = run_on_terminal("methods", name)
    assert code == 0
    shown = re.sub("\x1b[^m]*m", "", shown)
    below = [line for line in shown.splitlines() if not line.startswith("page:")]
    assert shown.splitlines()[-len(below) :] == below
    assert max(map(len, below)) <= 80
    assert len(below) < 12
    words = " ".join(below).replace(",", "").split()
    assert words[0] == name
    method = catalog.find(name)
    assert method is not None
    assert {parameter.name for parameter in method.parameters} <= {*words}
    assert words[2 : 2 + len(required)] == required


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_list_that_is_paged_is_not_repeated_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAGER", "sed s/^/page:/")
    code, shown = run_on_terminal("methods", "messages")
    assert code == 0
    assert all(line.startswith("page:") for line in shown.splitlines())
