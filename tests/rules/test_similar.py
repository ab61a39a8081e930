"""Names that were probably meant."""

from __future__ import annotations

import pytest

from vkanyio._similar import did_you_mean, similar_names

KNOWN = ["users.get", "users.getFollowers", "groups.getById", "groups.get"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("users.gett", ["users.get"]),
        ("Users.Get", ["users.get"]),
        ("users.get_followers", ["users.getFollowers"]),
        ("users.get followers", ["users.getFollowers"]),
        ("groups.getbyid", ["groups.getById"]),
        ("audio.get", []),
        ("users.fooBar", []),
        ("xylophone", []),
        ("", []),
    ],
)
def test_the_most_similar_name_is_the_one_that_was_probably_meant(
    name: str, meant: list[str]
) -> None:
    assert similar_names(name, KNOWN) == meant


def test_there_may_be_several_with_the_most_similar_first() -> None:
    found = similar_names("groups.gets", KNOWN, most=2)
    assert found == ["groups.get", "groups.getById"]
    assert len(similar_names("groups.gets", KNOWN)) == 1


def test_of_names_that_are_equal_the_first_counts() -> None:
    known = ["getById", "get_by_id", "getByIdx"]
    for name in ("getByID", "get_by_id", "get by id"):
        assert similar_names(name, known, most=3) == ["getById"]


def test_the_hint_can_follow_any_statement() -> None:
    assert did_you_mean("users.gett", KNOWN) == ": did you mean users.get?"
    both = did_you_mean("groups.gets", KNOWN, most=2)
    assert both == ": did you mean groups.get or groups.getById?"
    assert did_you_mean("xylophone", KNOWN) == ""
    assert did_you_mean("any", []) == ""
