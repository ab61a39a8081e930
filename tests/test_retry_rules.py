"""What may be sent again, and when."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio import APIError
from vkanyio._retry import (
    AMBIGUOUS_CODES,
    KEYS,
    MOST_DELAY,
    Failure,
    Repetition,
    back_off,
    new_random_id,
    repetition_of_call,
    repetition_of_method,
    repetition_of_script,
)

READ, KEYED, STATE, NEVER = Repetition
SCHEMA = Path(__file__).parents[2] / "shared" / "vk-api-schema"


# Methods


@pytest.mark.parametrize(
    ("repetition", "methods"),
    [
        (
            READ,
            """
            users.get groups.getById users.search groups.isMember apps.checkX
            utils.resolveScreenName utils.checkLink polls.getPhotoUploadServer
            friends.areFriends streaming.listX photos.getAll messages.getInviteLink
            pages.parseWiki wall.parseAttachedLink market.filterCategories
            video.liveGetCategories apps.promoHasActiveGift translations.translate
            """,
        ),
        (
            KEYED,
            """
            messages.send notifications.sendMessage board.createComment
            market.createComment notes.createComment photos.createComment
            video.createComment wall.createComment wall.post wall.postAdsStealth
            """,
        ),
        (
            STATE,
            """
            wall.delete wall.edit groups.removeUser status.set wall.restore
            orders.updateSubscription photos.reorderPhotos messages.markAsRead
            groups.ban account.unban wall.pin wall.unpin wall.openComments
            wall.closeComments groups.join groups.leave wall.hideX messages.allow
            messages.denyMessagesFromGroup calls.muteX friends.ignoreX board.fixTopic
            groups.approveRequest groups.enableOnline groups.disableOnline
            """,
        ),
        (
            NEVER,
            """
            likes.add photos.save market.create users.report ads.createAds
            messages.sendMessageEventAnswer photos.putTag account.changePassword
            calls.start stats.trackVisitor photos.copy wall.repost friends.add
            ads.importTargetContacts messages.addChatUser store.x gifts.give
            secure.addAppEvent apps.promoUseGift messages.sendX wall.postX
            groups.addAddress execute execute.getUsers execute.deleteAll execute.get
            getter.x users.getter users.settle users.Get Users wall.posts x
            """,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Repetition) else "",
)
def test_the_verb_of_a_method_tells_what_repeating_it_does(
    repetition: Repetition, methods: str
) -> None:
    for method in methods.split():
        assert repetition_of_method(method) is repetition, method


def test_the_keys_against_repetition_are_those_that_are_documented() -> None:
    keys = Counter(KEYS.values())
    assert keys == {"random_id": 2, "guid": 8}


def schema_methods() -> list[dict[str, Any]]:
    if not SCHEMA.is_dir():
        pytest.skip("VK's schema is not in ../shared/vk-api-schema")
    return [
        method
        for path in sorted(SCHEMA.glob("*/methods.json"))
        for method in json.loads(path.read_text(encoding="utf-8"))["methods"]
    ]


def test_all_methods_of_vk_s_schema_fall_into_the_four_classes() -> None:
    counted = Counter(repetition_of_method(m["name"]) for m in schema_methods())
    assert counted == {READ: 260, KEYED: 10, STATE: 187, NEVER: 109}


def test_no_method_that_reads_answers_just_ok() -> None:
    for method in schema_methods():
        if repetition_of_method(method["name"]) is READ:
            answers = json.dumps(method["responses"])
            assert "base_ok_response" not in answers, method["name"]


def test_every_method_with_a_key_in_vk_s_schema_is_known() -> None:
    found = {
        method["name"]: parameter["name"]
        for method in schema_methods()
        for parameter in method.get("parameters", ())
        if parameter["name"] in ("random_id", "guid")
    }
    assert found == KEYS


# Calls


@pytest.mark.parametrize("method", sorted(KEYS))
@pytest.mark.parametrize("key", [None, 0, "0", ""])
def test_a_key_that_is_not_set_keeps_nothing_from_being_repeated(
    method: str, key: Any
) -> None:
    params = {} if key is None else {KEYS[method]: key}
    assert repetition_of_call(method, params) is NEVER


@pytest.mark.parametrize("method", sorted(KEYS))
@pytest.mark.parametrize("key", [1, -1, "1"])
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
        # A key is not looked for in a script, nor what sets it.
        ('return API.messages.send({"random_id":1});', NEVER),
        ("return API.wall.createComment({guid:Args.guid});", NEVER),
        # All that is not a call in the usual form may be anything.
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
        # What stands in strings and comments may count, but only as what is worse.
        ('return "API.wall.post()" + API.users.get();', NEVER),
        ("/* API.wall.post() */ return API.users.get();", NEVER),
        ('return "API.users.get(" + API.wall.post();', NEVER),
        ("/* API.users.get( */ return API.wall.post/**/();", NEVER),
        # Scripts and procedures inside a script.
        ('return API.execute({"code":"return 1;"});', NEVER),
        ("return API.execute.getUsers();", NEVER),
        ("return API.execute.deleteAll();", NEVER),
        # A method that reads, unless it is told otherwise.
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
    # A comment that is opened before would hide it from VK, but never from here.
    code = f"{before} API.wall{gap}.post{gap}({{}}); {after}"
    assert repetition_of_script(code) is NEVER


# Failures and delays


@pytest.mark.parametrize("code", [1, 10, 36])
def test_vk_s_own_failures_leave_open_what_was_done(code: int) -> None:
    failure = Failure.from_api(APIError[code](code, ""))
    assert failure.maybe_carried_out
    assert failure.is_transient
    assert not failure.retry_at_once


@given(st.integers().filter(lambda code: code not in (1, 10, 36)))
def test_with_all_other_codes_nothing_was_done(code: int) -> None:
    failure = Failure.from_api(APIError(code, ""))
    assert not failure.maybe_carried_out
    assert not failure.is_transient


def test_the_ambiguous_codes_are_three() -> None:
    assert sorted(AMBIGUOUS_CODES) == [1, 10, 36]


@given(
    st.floats(0, 1e9) | st.integers(0, 10**9),
    st.integers(1, 10**6),
)
def test_a_back_off_grows_from_the_base_up_to_its_bound(
    wait: float, tries: int
) -> None:
    delay = back_off(wait, tries)
    assert 0 <= delay <= MOST_DELAY
    if tries < 30:
        assert delay <= wait * 2 ** (tries - 1)


@pytest.mark.parametrize(
    ("wait", "tries", "most"), [(3, 1, 3), (3, 2, 6), (3, 3, 12), (3, 9, 60), (0, 5, 0)]
)
def test_a_back_off_is_jittered_over_all_of_its_range(
    wait: float, tries: int, most: float
) -> None:
    delays = sorted(back_off(wait, tries) for _ in range(2000))
    assert delays[-1] <= most
    assert delays[0] <= 0.05 * most
    assert delays[-1] >= 0.95 * most
    assert delays[1000] == pytest.approx(most / 2, rel=0.2)


def test_a_random_id_is_one_that_vk_keeps_whole() -> None:
    keys = [new_random_id() for _ in range(10_000)]
    assert min(keys) >= 1
    assert max(keys) < 2**31
    assert max(keys) > 2**30  # all of its range is used: that many do not meet
    assert len(set(keys)) > 9_990


def test_a_text_is_a_key_for_a_guid_and_none_for_a_random_id() -> None:
    for method, key in KEYS.items():
        is_key = repetition_of_call(method, {key: "a-guid"}) is KEYED
        assert is_key == (key == "guid")


@pytest.mark.parametrize("zero", ["0.4", " 0", "+0", "0.0", str(2**32), 2**33, "-0"])
def test_a_random_id_that_vk_reads_as_zero_is_no_key(zero: Any) -> None:
    assert repetition_of_call("messages.send", {"random_id": zero}) is NEVER
