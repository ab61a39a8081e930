from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from vkanyio.testing import Simulator

    from .conftest import MakeCall


def test_values_are_json_where_they_say_so(
    call: MakeCall, simulator: Simulator
) -> None:
    code, _, _ = call(
        *["messages.send", "peer_ids:=[1,2]", 'payload:={"a": ["b", 1]}'],
        *["dont_parse_links:=true", "message=@durov, a:=b", "lat:=null"],
    )
    assert code == 0
    [entry] = simulator.ledger.carried_out()
    assert entry.params["peer_ids"] == "1,2"
    assert json.loads(entry.params["payload"]) == {"a": ["b", 1]}
    assert entry.params["dont_parse_links"] == "1"
    assert entry.params["message"] == "@durov, a:=b"
    assert "lat" not in entry.params


def test_values_come_from_files_and_from_standard_input(
    call: MakeCall,
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("Ёж, a=b\n", encoding="utf-8")
    Path("params.json").write_text('{"peer_id": 7, "random_id": 5}', encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"c": 1}'))
    code, _, _ = call(*["messages.send", "@params.json", "message@text", "payload:=@-"])
    assert code == 0
    [entry] = simulator.ledger.carried_out()
    sent = {name: entry.params[name] for name in ("peer_id", "random_id", "message")}
    assert sent == {"peer_id": "7", "random_id": "5", "message": "Ёж, a=b\n"}
    assert json.loads(entry.params["payload"]) == {"c": 1}


def test_a_byte_order_mark_is_not_part_of_a_text(
    call: MakeCall,
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.json").write_text('{"peer_id": 7}', encoding="utf-8-sig")
    Path("text").write_text("Ёж", encoding="utf-8-sig")
    monkeypatch.setattr(sys, "stdin", io.StringIO("\ufeff[1]"))
    words = ["messages.send", "@params.json", "message@text", "payload:=@-"]
    assert call(*words)[0] == 0
    [entry] = simulator.ledger.carried_out()
    assert (entry.params["message"], entry.params["payload"]) == ("Ёж", "1")


def test_files_that_hold_something_else_are_named(
    call: MakeCall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("list.json").write_text("[]", encoding="utf-8")
    Path("bytes").write_bytes(b"\xff")
    Path("deep.json").write_text("[" * 100_000, encoding="utf-8")
    Path("secret.json").write_text('{"access_token": "x"}', encoding="utf-8")
    for word, says in [
        ("@list.json", "'@list.json' must contain a JSON object"),
        ("@deep.json", "'@deep.json' is not JSON"),
        ("fields@bytes", "'bytes' is not UTF-8 text"),
        ("@secret.json", "VK_TOKEN"),
    ]:
        code, out, err = call("users.get", word)
        assert (code, out) == (2, "")
        assert says in err


def test_a_word_without_an_equals_sign_is_shown_with_it(call: MakeCall) -> None:
    for words, says in [
        (
            ["wall.get", "owner_id", "1"],
            "'owner_id' is not NAME=VALUE: write it like o",
        ),
        (["wall.get", "owner_id", "1"], "write it like owner_id=1\n"),
        (["wall.get", "owner_id"], "write it like user_ids=1\n"),
        (["wall.get", "owner_id", "count=1"], "write it like user_ids=1\n"),
        (
            ["wall", "get", "owner_id=1"],
            "'get' is not NAME=VALUE: is the method wall.g",
        ),
        (["users.get", "access_token", "my-secret"], "access_token is refused"),
    ]:
        code, out, err = call(*words)
        assert (code, out) == (2, "")
        assert says in err
        assert "my-secret" not in err


def test_what_the_schema_does_not_have_is_sent_on_demand(
    call: MakeCall, simulator: Simulator
) -> None:
    code, _, err = call("users.get", "unheard_of=1", "--unchecked")
    assert (code, err) == (0, "")  # without the warning that a program gets
    [entry] = simulator.ledger.carried_out()
    assert entry.params["unheard_of"] == "1"


def test_a_parameter_of_every_method_is_not_unknown(call: MakeCall) -> None:
    assert call("users.get", "lang=en", "v=5.131", "test_mode=1")[0] == 0
