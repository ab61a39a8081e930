"""The repetition classes of methods, calls and scripts."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from codegen._schema import FACTS, load
from hypothesis import given
from hypothesis import strategies as st

from vkanyio._facts import Repetition
from vkanyio._method_facts import METHODS
from vkanyio._repetition import (
    facts_of,
    is_known,
    repetition_of_call,
    repetition_of_script,
)

READ, KEYED, STATE, NEVER = Repetition
SCHEMA_METHODS = load(FACTS).methods
KEYS = {name: facts.key for name, facts in METHODS.items() if facts.key is not None}

# The verbs of all methods of VK's schema, by their repetition class.
VERBS = {
    READ: "get search is check resolve list are",
    STATE: """
        allow approve ban clear close confirm delete deny disable edit enable fix group
        hide ignore join leave make mark move mute open pin remove reorder restore set
        unban unfix ungroup unignore unpin unregister unsubscribe update
    """,
    NEVER: """
        add cancel change copy create execute force give import invite promo put
        register report repost save send share start stop tag toggle track
    """,
}
# Methods that differ from their verbs.
BY_NAME = {
    READ: """
        apps.promoHasActiveGift market.filterCategories pages.parseWiki
        translations.translate video.liveGetCategories wall.parseAttachedLink
    """,
    KEYED: """
        messages.send notifications.sendMessage board.createComment
        market.createComment notes.createComment photos.createComment
        video.createComment wall.createComment wall.post wall.postAdsStealth
    """,
    NEVER: "auth.restore polls.edit secure.setCounter utils.getShortLink",
}
# All flags of methods that read. All were reviewed: only `reset` changes anything.
FLAGS = """
    add_to_news adult aliases all_products bulk credentials extended extra friends_only
    future global has_photo include_deleted is_board is_from_snackbar is_video_cover
    live market message_video need_all need_common_count need_covers need_hidden
    need_html need_likes need_mutual need_precise need_pts need_sign need_source
    need_stickers need_system need_variants need_viewed need_wiki no_service_albums
    online online_mobile onlines only_deleted only_my_groups out owners_only photo_sizes
    preserve_order reset return_banned return_friends return_system return_tags rev
    search_global search_own shuffle site_preview skip_hidden skip_own subcategories
    suggested test_mode vmoji_promo with_disabled
"""


# Methods


CLASS_OF_VERB = {verb: kind for kind in VERBS for verb in VERBS[kind].split()}
CLASS_OF_NAME = {name: kind for kind in BY_NAME for name in BY_NAME[kind].split()}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_of_vk_s_schema_has_its_class(method: str) -> None:
    [verb] = re.findall(r"(?:^|\.)([a-z]+)\w*$", method)
    expected = CLASS_OF_NAME.get(method) or CLASS_OF_VERB[verb]
    assert facts_of(method).repetition is expected


def test_the_methods_of_vk_s_schema_fall_into_the_four_classes() -> None:
    counted = Counter(facts.repetition for facts in METHODS.values())
    assert counted == {READ: 261, KEYED: 10, STATE: 186, NEVER: 115}


@pytest.mark.parametrize(
    ("repetition", "methods"),
    [
        (
            READ,
            """
            x.getX x.searchX x.isX x.checkX x.resolveX x.listX x.areX x.get x.set.getX
            getX
            """,
        ),
        (STATE, "x.unmuteX x.deleteX x.setX x.markAsX x.edit"),
        (
            NEVER,
            """
            x.likeX x.postX x.sendX getter.x x.getter x.settle x.Get X x.posts x
            execute.getUsers execute.deleteAll execute.get execute.x.getX
            auth.getX auth.checkX auth.x.getX secure.getX secure.setX
            """,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Repetition) else "",
)
def test_a_method_that_is_in_no_schema_is_judged_by_its_verb(
    repetition: Repetition, methods: str
) -> None:
    for method in methods.split():
        assert method not in METHODS
        assert facts_of(method).repetition is repetition, method
        assert facts_of(method).key is None


def test_the_kinds_of_token_are_known() -> None:
    assert facts_of("users.get").tokens == ("user", "group", "service")
    assert facts_of("wall.post").tokens == ("user",)
    assert facts_of("x.get").tokens == ()


def test_the_keys_against_repetition_are_as_documented() -> None:
    keys = Counter(KEYS.values())
    assert keys == {"random_id": 2, "guid": 8}


def test_no_method_that_reads_returns_just_ok() -> None:
    for name, method in SCHEMA_METHODS.items():
        if facts_of(name).repetition is READ:
            assert "base_ok_response" not in method["responses"].values(), name


def test_no_method_that_reads_has_an_unreviewed_flag() -> None:
    found = {
        parameter["name"]
        for name, method in SCHEMA_METHODS.items()
        if facts_of(name).repetition is READ
        for parameter in method.get("parameters", ())
        if parameter.get("type") == "boolean"
    }
    assert found == set(FLAGS.split())


def test_every_method_with_a_key_in_vk_s_schema_is_known() -> None:
    found = {
        name: parameter["name"]
        for name, method in SCHEMA_METHODS.items()
        for parameter in method.get("parameters", ())
        if parameter["name"] in ("random_id", "guid")
    }
    assert found == KEYS


# Calls


@pytest.mark.parametrize("method", sorted(KEYS))
@pytest.mark.parametrize("key", [None, 0, "0", ""])
def test_a_key_that_is_not_set_makes_no_call_repeatable(method: str, key: Any) -> None:
    params = {} if key is None else {KEYS[method]: key}
    assert repetition_of_call(method, params) is NEVER


@pytest.mark.parametrize("method", sorted(KEYS))
@pytest.mark.parametrize("key", [1, -1, "1", 2, -(2**31)])
def test_a_key_that_is_set_makes_a_call_repeatable(method: str, key: Any) -> None:
    assert repetition_of_call(method, {KEYS[method]: key}) is KEYED


def test_the_key_of_another_method_is_no_key() -> None:
    assert repetition_of_call("wall.post", {"random_id": 1}) is NEVER
    assert repetition_of_call("messages.send", {"guid": "a"}) is NEVER


@pytest.mark.parametrize(
    ("reset", "repetition"),
    [(None, READ), (0, READ), ("0", READ), ("", READ), (1, STATE), ("1", STATE)],
)
def test_an_invite_link_that_is_reset_is_a_change(
    reset: Any, repetition: Repetition
) -> None:
    params = {} if reset is None else {"reset": reset}
    assert repetition_of_call("messages.getInviteLink", params) is repetition
    assert repetition_of_call("users.get", params) is READ


@pytest.mark.parametrize(
    "procedure", ["execute.getUsers", "execute.get", "execute.search", "execute.x"]
)
def test_a_stored_procedure_is_not_repeatable_whatever_its_name(procedure: str) -> None:
    assert repetition_of_call(procedure, {}) is NEVER
    assert repetition_of_call(procedure, {"code": "return 1;"}) is NEVER


def test_only_the_names_of_vk_s_schema_are_known() -> None:
    assert is_known("users.get")
    unknown = ["users.Get", "execute.mine", "", None, 5, ["users.get"]]
    assert not any(map(is_known, unknown))


def test_a_script_is_as_repeatable_as_its_code() -> None:
    assert repetition_of_call("execute", {"code": "return API.users.get();"}) is READ
    assert repetition_of_call("execute", {"code": "return API.wall.post();"}) is NEVER
    assert repetition_of_call("users.get", {"code": "API.wall.post();"}) is READ


# Scripts


@pytest.mark.parametrize(
    ("code", "repetition"),
    [
        ("return 1;", READ),
        ("", READ),
        ("return APIs.wall.post();", READ),  # some other name
        ('return API.users.get({"user_ids":1});', READ),
        ("return [API.users.get(),API.wall.get({})];", READ),
        ("return API.users.get ({});", READ),
        ("// API.users.get()\nreturn API.users.get();", READ),
        ("return API.wall.delete();", STATE),
        ("return [API.users.get(),API.wall.delete()];", STATE),
        ("return API.wall.post();", NEVER),
        ("return [API.users.get(),API.wall.post()];", NEVER),
        ("return [API.wall.delete(),API.likes.add()];", NEVER),
        # Keys in a script, and code that sets them, are ignored.
        ('return API.messages.send({"random_id":1});', NEVER),
        ("return API.wall.createComment({guid:Args.guid});", NEVER),
        # Code that is not a call in the usual form may do anything.
        ("return API . wall . post();", NEVER),
        ("return API . users . get();", NEVER),
        ('return API["wall"].post();', NEVER),
        ('return API.wall["post"]();', NEVER),
        ("return API.wall\n.post();", NEVER),
        ("return API/**/.wall.post();", NEVER),
        ("return API.wall/**/.post();", NEVER),
        ("return API.wall.post/**/();", NEVER),
        ("var a = API; return a.wall.post();", NEVER),
        ("var a = API.users; return a.get();", NEVER),
        ("return [API.users.get(), API];", NEVER),
        ("return API.users;", NEVER),
        ('return "API";', NEVER),
        ("/* API */ return 1;", NEVER),
        # Text in strings and comments may only make the class worse.
        ('return "API.wall.post()" + API.users.get();', NEVER),
        ("/* API.wall.post() */ return API.users.get();", NEVER),
        ('return "API.users.get(" + API.wall.post();', NEVER),
        ("/* API.users.get( */ return API.wall.post/**/();", NEVER),
        # Scripts and procedures inside a script.
        ('return API.execute({"code":"return 1;"});', NEVER),
        ("return API.execute.getUsers();", NEVER),
        ("return API.execute.deleteAll();", NEVER),
        # A method that reads, unless a parameter says otherwise.
        ("return API.messages.getInviteLink({reset:1});", STATE),
        ("return [API.messages.getInviteLink({reset:1}),API.wall.post()];", NEVER),
        ("return API.messages.getInviteLink({reset:1}) + API;", NEVER),
    ],
)
def test_a_script_is_as_repeatable_as_the_worst_call_it_names(
    code: str, repetition: Repetition
) -> None:
    assert repetition_of_script(code) is repetition


PIECES = (
    "API.users.get(|API.users.get();|API.wall.delete()|API|APIx|var a=1;|return "
    r"| |.|;|}|'|\"|/*|*/|//"
)
noise = st.lists(st.sampled_from([*PIECES.split("|"), "\n"])).map("".join)


@given(noise, noise, st.sampled_from([" ", "", "\n", "/**/"]))
def test_nothing_around_a_write_hides_it(before: str, after: str, gap: str) -> None:
    # A comment opened before it would hide it from VK, but not from the library.
    code = f"{before} API.wall{gap}.post{gap}({{}}); {after}"
    assert repetition_of_script(code) is NEVER


def test_a_text_is_a_key_as_a_guid_but_not_as_a_random_id() -> None:
    for method, key in KEYS.items():
        is_key = repetition_of_call(method, {key: "a-guid"}) is KEYED
        assert is_key == (key == "guid")


@pytest.mark.parametrize("zero", ["0.4", " 0", "+0", "0.0", str(2**32), 2**33, "-0"])
def test_a_random_id_that_vk_reads_as_zero_is_no_key(zero: Any) -> None:
    assert repetition_of_call("messages.send", {"random_id": zero}) is NEVER
