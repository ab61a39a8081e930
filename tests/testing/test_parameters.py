"""What VK requires of parameters, beyond names and types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from vkanyio.testing import Account, Call, Simulator, VKFault
from vkanyio.testing._declared import declared_methods
from vkanyio.testing._schema import schema

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from vkanyio.testing._call import TokenKind

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio

METHODS: Mapping[str, Any] = schema()["methods"]
MISSING = "One of the parameters specified was missing or invalid: "
RULES = [
    pytest.param(method, rule, id=f"{method}-{rule['names'][0]}")
    for method, declared in METHODS.items()
    for rule in declared["one_of"]
]


def problem(
    method: str, params: Mapping[str, str], kind: TokenKind = "user"
) -> VKFault | None:
    """Return the error that a method's check raises, if any."""
    nothing: Any = None
    account = Account(id=9, kind=kind)
    call = Call(method=method, params=params, account=account, time=0, invoker=nothing)
    try:
        declared_methods()[method].check(call)
    except VKFault as fault:
        return fault
    return None


def sufficient(
    method: str, kind: str = "user", *, without: Any = None
) -> dict[str, str]:
    """Return parameters with which a method may be called, except by one rule."""
    declared = METHODS[method]
    names = list(declared["required"])
    names += [
        rule["names"][0]
        for rule in declared["one_of"]
        if rule != without and kind in rule.get("tokens", [kind])
    ]
    return {name: value(declared, name) for name in names}


def value(declared: Any, name: str) -> str:
    """Return a value that a parameter may have."""
    kind = declared["parameters"].get(name, "int")
    length: int = declared["limits"].get(name, {}).get("minLength", 1)
    if isinstance(kind, dict):
        kind = schema()["objects"].get(kind.get("is"), kind)
        if "enum" in kind:
            return str(kind["enum"][0])
    return "1" * length


def callers(method: str, rule: Any) -> Iterator[tuple[TokenKind, bool]]:
    """Yield the tokens that may call a method, and whether a rule is for them."""
    for kind in declared_methods()[method].tokens:
        yield kind, kind in rule.get("tokens", [kind])


def test_a_method_may_be_called_with_what_it_needs() -> None:
    for method, declared in declared_methods().items():
        for kind in declared.tokens:
            refused = problem(method, sufficient(method, kind), kind)
            assert refused is None, method


@pytest.mark.parametrize(("method", "rule"), RULES)
def test_a_call_without_what_vk_s_server_wants_is_refused(
    method: str, rule: Any
) -> None:
    for kind, applies in callers(method, rule):
        params = sufficient(method, kind, without=rule)
        refused = problem(method, params, kind)
        if not applies:
            assert refused is None
            continue
        assert refused
        assert refused.code == 100
        first, *others = rule["names"]
        names = f"you should specify {', '.join([first, *others[:-1]])} or "
        default = names + f"{others[-1]} param" if others else f"{first} is undefined"
        assert refused.message == MISSING + rule.get("text", default)
        for name in rule["names"]:
            given = {**params, name: value(METHODS[method], name)}
            assert problem(method, given, kind) is None


@pytest.mark.parametrize(
    ("token", "method", "params", "text"),
    [
        # https://github.com/VKCOM/vk-api-schema/issues/190
        ("club", "docs.getWallUploadServer", {}, "group_id is undefined"),
        (
            "club",
            "docs.getMessagesUploadServer",
            {},
            "peer_id is required for community messages",
        ),
        ("club", "groups.getMembers", {}, "group_id is undefined"),
        (
            "club",
            "messages.createChat",
            {},
            "you should specify user_ids or title param",
        ),
        (
            "club",
            "messages.deleteConversation",
            {},
            "you should specify peer_id, user_id or chat_id param",
        ),
        (
            "club",
            "messages.setActivity",
            {},
            "you should specify correct user_id, chat_id, or domain param",
        ),
        # https://github.com/negezor/vk-io/issues/407
        ("anna", "messages.send", {}, "random_id is a required parameter"),
        (
            "anna",
            "messages.send",
            {"random_id": 0},
            "you should specify peer_id, user_id, domain, chat_id or user_ids param",
        ),
        (
            "anna",
            "messages.send",
            {"random_id": 0, "peer_id": 2},
            "message is empty or invalid",
        ),
        (
            "anna",
            "messages.send",
            {"random_id": 0, "peer_id": 2, "template": "{}"},
            "message is empty or invalid",
        ),
        ("app", "wall.get", {}, "owner_id is undefined"),
        ("app", "users.get", {}, "user_ids is undefined"),
        ("anna", "groups.getById", {}, "group_ids is undefined"),
        ("anna", "docs.save", {}, "file is undefined"),
        (
            "anna",
            "likes.add",
            {"type": "post", "item_id": -1},
            "item_id should be positive",
        ),
        (
            "anna",
            "likes.isLiked",
            {"type": "post", "item_id": 1, "user_id": -1},
            "user_id should be positive",
        ),
        (
            "anna",
            "wall.getComments",
            {"post_id": 1, "offset": -1},
            "offset without start_comment_id should be positive",
        ),
    ],
)
async def test_vk_s_own_texts_are_used(
    ask: Ask, token: str, method: str, params: dict[str, Any], text: str
) -> None:
    if method == "wall.getComments":
        await ask("wall.post", message="x")
    refused = await ask(method, token, **params)
    assert refused["error_code"] == 100
    assert refused["error_msg"] == MISSING + text


async def test_a_community_makes_an_empty_chat_since_it_cannot_add_anybody(
    ask: Ask,
) -> None:
    assert (await ask("messages.createChat", "club", title="x"))["chat_id"] == 1


@pytest.mark.parametrize(
    ("method", "name", "good", "bad", "says"),
    [
        ("notes.get", "count", "100", "101", "be less or equal to 100"),
        ("notes.get", "user_id", "0", "-1", "be positive"),
        ("fave.getPages", "offset", "10000", "10001", "be less or equal to 10000"),
        ("groups.getAddresses", "latitude", "-90", "-90.5", "be greater or equal to"),
        ("groups.get", "user_id", "0", "-1", "be greater or equal to 1"),
        ("fave.editTag", "name", "x" * 50, "x" * 51, "be at most 50 characters long"),
        ("notes.editComment", "message", "xx", "x", "be at least 2 characters long"),
        ("users.get", "user_ids", "1," * 1000, "1," * 1001, "at most 1000 items"),
        ("market.search", "status", "1,2", "1,2,3", "contain at most 2 items"),
        ("storage.set", "key", "k" * 100, "k" * 101, "be at most 100 characters"),
    ],
)
def test_a_value_is_within_the_limits_of_the_schema(
    method: str, name: str, good: str, bad: str, says: str
) -> None:
    params = sufficient(method)
    assert problem(method, {**params, name: good}) is None
    refused = problem(method, {**params, name: bad})
    assert refused
    assert refused.code == 100
    assert f": {name} should " in refused.message
    assert says in refused.message


def beyond(limit: str, bound: int) -> str:
    """Return a value just outside a limit, or "" if there is none."""
    if limit == "minimum":
        return "-1" if bound in (0, 1) else str(bound - 1)
    if limit == "maximum":
        return str(bound + 1)
    if limit == "minItems":
        return ",".join("1" * (bound - 1))
    if limit == "maxItems":
        return ",".join("1" * (bound + 1))
    return "x" * (bound - 1 if limit == "minLength" else bound + 1)


def test_every_limit_of_the_schema_is_kept() -> None:
    tried = 0
    for method, declared in METHODS.items():
        [kind, *_] = declared_methods()[method].tokens
        for name, limits in declared["limits"].items():
            for limit, bound in limits.items():
                if wrong := beyond(limit, bound):
                    given = {**sufficient(method, kind), name: wrong}
                    refused = problem(method, given, kind)
                    assert refused, (method, name, limit)
                    is_message = name == "message" and bound == 9000
                    assert refused.code == (914 if is_message else 100)
                    tried += 1
    assert tried > 1000


def test_a_number_that_is_none_has_no_limits() -> None:
    refused = problem("groups.getAddresses", {"group_id": "1", "latitude": "north"})
    assert refused
    assert refused.message == f"{MISSING}latitude is invalid"


async def test_a_method_that_a_test_replaces_has_its_own_requirements() -> None:
    simulator = Simulator(limit=0)
    simulator.add_method("groups.getMembers", lambda call: "mine")
    async with simulator.http_client() as client:
        params = {"v": "5.199", "access_token": "t"}
        answer = await client.get("https://vk/method/groups.getMembers", params=params)
    assert answer.json() == {"response": "mine"}
