"""What an editor offers: the public names, and no others."""

from __future__ import annotations

import pytest

import vkanyio
from vkanyio import API, VK, APIRequest, Captcha, ClientClosedError
from vkanyio.testing import Simulator

CALLING = {
    "as_token",
    "bot_updates",
    "call",
    "call_with_request",
    "collect",
    "execute",
    "gather",
    "procedure",
    "resolve",
    "stream",
    "untyped",
    "upload",
    "user_updates",
}
OF_A_CLIENT = {"config", "from_config", "run", "statistics"}


def public(value: object) -> set[str]:
    return {name for name in dir(value) if not name.startswith("_")}


def groups() -> set[str]:
    from vkanyio import _groups

    return public(_groups.MethodGroups)


def test_a_request_has_the_names_of_its_documentation() -> None:
    assert public(APIRequest("users.get")) == {
        "headers",
        "may_be_repeated",
        "maybe_carried_out",
        "method",
        "params",
        "reads",
        "repeatable",
        "result",
        "wait",
    }


def test_a_client_has_the_groups_of_methods_and_the_names_of_its_documentation() -> (
    None
):
    assert public(VK) - groups() == CALLING | OF_A_CLIENT
    assert public(VK("a-token")) == public(VK)
    assert len(groups()) > 40


def test_an_editor_lists_no_private_names_of_a_client_before_its_groups() -> None:
    # Names of the class itself go first, private ones too.
    own = {name for name in vars(VK) if not name.startswith("__")}
    assert not own - {"_abc_impl", "_is_protocol"}


def test_an_api_has_only_the_members_for_calling() -> None:
    assert public(API) - groups() == CALLING
    assert issubclass(VK, API)


def test_an_api_cannot_be_made_without_a_caller() -> None:
    with pytest.raises(TypeError, match="caller"):
        API()  # type: ignore[call-arg]


def test_a_missing_private_name_is_not_a_group_of_methods() -> None:
    with pytest.raises(AttributeError, match="'VK' object has no attribute '_lane'"):
        _ = VK("a-token")._lane  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="group of methods lane"):
        _ = VK("a-token").lane  # type: ignore[attr-defined]


def test_a_captcha_has_the_names_of_its_documentation() -> None:
    names = {"attempt", "img", "raw", "redirect_uri", "request", "retry", "sid"}
    assert public(Captcha) | {"request"} == names


@pytest.mark.parametrize("name", ["API", "VK", "APIRequest", "ExecuteResult"])
def test_public_classes_are_named_by_where_they_are_imported_from(name: str) -> None:
    assert getattr(vkanyio, name).__module__ == "vkanyio"


@pytest.mark.anyio
async def test_a_client_that_is_not_entered_says_what_to_do() -> None:
    with pytest.raises(ClientClosedError, match="async with"):
        await VK("a-token").users.get()
    async with VK("a-token", http_client=Simulator().http_client()) as api:
        assert isinstance(api, API)
