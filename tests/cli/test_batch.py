"""``vkanyio batch`` from start to end: records, errors and exit codes."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from vkanyio.cli._app import run
from vkanyio.testing import Simulator, faults

from .batches import records, users, write_calls
from .conftest import BACKENDS, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from .conftest import Resume

    MakeBatch: TypeAlias = Callable[..., tuple[int, list[Any], str]]


@pytest.fixture
def batch(
    tmp_path: Path, base_url: str, capfd: pytest.CaptureFixture[str]
) -> MakeBatch:
    """Runs a batch over these calls: exit code, records, standard error."""

    def make(calls: Iterable[Any], *words: str) -> tuple[int, list[Any], str]:
        source = tmp_path / "calls.jsonl"
        write_calls(source, calls)
        options = ["--base-url", base_url, "--limit", "1000"]
        code = run(["batch", str(source), *options, *words])
        out, err = capfd.readouterr()
        assert TOKEN not in out + err
        assert "Traceback" not in err
        return code, [json.loads(line) for line in out.splitlines()], err

    return make


@BACKENDS
def test_each_call_has_a_record_with_its_line_its_id_and_its_value(
    batch: MakeBatch, backend: str
) -> None:
    code, records, err = batch(users(30), "--backend", backend)
    assert code == 0
    records.sort(key=lambda record: record["line"])
    assert [record["line"] for record in records] == [*range(1, 31)]
    for number, record in enumerate(records, 1):
        assert record["id"] == f"user {number}"
        assert record["response"][0]["id"] == number
    assert err.startswith("vkanyio: 30 succeeded in ")


def test_calls_are_packed_unless_the_mode_says_otherwise(
    batch: MakeBatch, simulator: Simulator
) -> None:
    assert batch(users(100), "--limit", "20")[0] == 0
    assert simulator.ledger.requests < 20
    before = simulator.ledger.requests
    assert batch(users(20), "--mode", "sequential")[0] == 0
    assert simulator.ledger.requests == before + 20


@BACKENDS
def test_calls_are_started_in_the_order_of_their_lines(
    batch: MakeBatch, simulator: Simulator, backend: str
) -> None:
    calls = [{"method": "wall.post", "params": {"message": str(i)}} for i in range(50)]
    words = ("--mode", "sequential", "--backend", backend)
    assert batch(calls, *words, "--limit", "50")[0] == 0
    sent = [int(entry.params["message"]) for entry in simulator.ledger.carried_out()]
    # On their way they may overtake their neighbours, and no more.
    assert all(abs(place - number) < 10 for place, number in enumerate(sent))


def test_an_error_of_vk_is_a_record_and_the_exit_code_is_1(
    batch: MakeBatch, simulator: Simulator
) -> None:
    simulator.fault(faults.error(15, "Access denied"), "wall.get")
    calls = [{"method": "wall.get", "id": [1]}, *users(1)]
    code, records, err = batch(calls, "--mode", "sequential")
    assert code == 1
    [failed] = [record for record in records if "error" in record]
    assert (failed["line"], failed["id"]) == (1, [1])
    assert failed["error"] == {
        "type": "AccessDeniedError",
        "code": 15,
        "message": "Access denied",
        "method": "wall.get",
    }
    assert "vkanyio: 1 x AccessDeniedError, for example: wall.get: error 15" in err


def test_what_may_have_been_carried_out_is_reported_and_the_exit_code_is_4(
    batch: MakeBatch, simulator: Simulator
) -> None:
    simulator.fault(faults.drop_after(), "wall.post")
    post = {"method": "wall.post", "params": {"message": "hello"}}
    code, [record], err = batch([post], "--mode", "sequential")
    assert (code, record["error"]["type"]) == (4, "OutcomeUnknownError")
    assert "vkanyio: 1 x OutcomeUnknownError, for example: wall.post may have" in err
    assert "--repeat-unknown" not in err  # that needs an output
    assert len(simulator.ledger.carried_out("wall.post")) == 1


def test_a_call_without_a_response_has_a_record_and_the_exit_code_is_3(
    batch: MakeBatch, simulator: Simulator
) -> None:
    simulator.fault(faults.drop_before(), "wall.get", rate=1)
    calls = [{"method": "wall.get"}, *users(2)]
    code, records, _ = batch(calls, "--mode", "sequential", "--retries", "0")
    assert code == 3
    [failed] = [record for record in records if "error" in record]
    assert failed["error"]["type"] == "ConnectionFailedError"


def test_a_network_that_is_down_ends_the_batch(
    batch: MakeBatch, simulator: Simulator
) -> None:
    simulator.fault(faults.drop_before(), rate=1)
    words = ("--mode", "sequential", "--retries", "0", "--limit", "20")
    code, records, err = batch(users(500), *words)
    assert code == 3
    assert 20 <= len(records) < 200
    assert "vkanyio: stopped: users.get: " in err


def test_an_outage_of_vk_ends_the_batch_and_the_calls_are_made_when_it_is_resumed(
    tmp_path: Path, simulator: Simulator, resume: Resume
) -> None:
    write_calls(tmp_path / "calls.jsonl", users(100))
    simulator.fault(faults.error(10), rate=1)
    words = ("--retries", "0", "--limit", "1000")
    code, err = resume(*words)
    assert code == 3
    assert "vkanyio: stopped: users.get: error 10" in err
    simulator.clear_faults()
    assert resume(*words)[0] == 0
    assert len({r["line"] for r in records(tmp_path) if "response" in r}) == 100


@BACKENDS
def test_a_batch_that_always_fails_as_a_whole_does_not_end_the_run(
    batch: MakeBatch, simulator: Simulator, backend: str
) -> None:
    simulator.fault(faults.html(502), "execute", rate=1)
    words = ("--retries", "0", "--backend", backend)
    code, found, err = batch(users(60), *words)
    assert code == 0
    assert {record["line"] for record in found if "response" in record} == {
        *range(1, 61)
    }
    assert "60 succeeded" in err


@pytest.mark.parametrize("count", ["0", "26"])
def test_the_size_of_batches_is_an_option(
    batch: MakeBatch, simulator: Simulator, count: str
) -> None:
    assert batch(users(30), "--execute-count", "5")[0] == 0
    calls = [e.request for e in simulator.ledger if e.method == "users.get"]
    assert max(Counter(calls).values()) == 5
    code, _, err = batch(users(1), "--execute-count", count)
    assert code == 2
    assert "--execute-count" in err


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (faults.error(5, "User authorization failed"), "User authorization failed"),
        (faults.expired_token(), "not expired"),
        (faults.captcha("new"), "this captcha needs a program"),
        (faults.validation("https://vk.ru/v"), "open https://vk.ru/v in a browser"),
    ],
)
def test_what_only_a_person_can_fix_ends_the_batch(
    batch: MakeBatch, simulator: Simulator, fault: faults.Fault, says: str
) -> None:
    simulator.fault(fault, rate=1)
    code, records, err = batch(users(500), "--limit", "20", "--mode", "sequential")
    assert code == 1
    assert len(records) < 100
    assert "vkanyio: stopped: " in err
    assert says in err
    assert err.count(says) == 1


def test_a_token_of_a_line_that_is_refused_concerns_that_line_alone(
    batch: MakeBatch, simulator: Simulator
) -> None:
    simulator.fault(faults.error(5), "wall.get", rate=1)
    params = {"access_token": "another-token-of-somebody"}
    calls = [{"method": "wall.get", "params": params}] * 3
    code, records, err = batch([*calls, *users(20)])
    assert (code, len(records)) == (1, 23)
    assert "stopped" not in err
    assert "another-token-of-somebody" not in err + json.dumps(records)


def test_a_crash_of_the_client_ends_the_batch_and_has_no_record(
    batch: MakeBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(self: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("vkanyio._engine._collector.Collector.run", crash)
    code, records, err = batch(users(5))
    assert (code, records) == (1, [])
    assert "a background task has crashed" in err


def test_a_script_has_its_value_and_its_errors(batch: MakeBatch) -> None:
    script = 'return [Args.n, API.wall.get({"owner_id": "x"})];'
    call = {"method": "execute", "params": {"code": script, "n": 1}}
    code, [record], _ = batch([call])
    assert (code, record["response"]) == (1, ["1", False])
    [failed] = record["execute_errors"]
    assert (failed["method"], failed["code"]) == ("wall.get", 100)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: not JSON: "),
        ("[]", 'line 2: a list, not an object: write a call like {"method": '),
        ("5", "line 2: a number, not an object"),
        ("true", "line 2: true or false, not an object"),
        ('{"params": {}}', 'line 2: it has no "method": write a call like'),
        ('{"methods": "users.get"}', "did you mean method?"),
        ('{"method": "users.get", "parms": {}}', "did you mean params?"),
        ('{"method": "users.get", "what": {}}', "allowed keys: method, params, id"),
        ('{"method": "users.get", "params": []}', "line 2: params must be a dict"),
        ('{"method": "users get"}', "'users get'"),
        ('{"method": 5}', "line 2: "),
        ('{"method": "users.gte"}', "did you mean users.get"),
        ('{"method": "users.get", "params": {"user_id": 1}}', "did you mean user_ids"),
        ('{"method": "wall.getById"}', "wall.getById needs posts"),
        ('{"method": "users.get", "params": {"user_ids": [[1]]}}', "user_ids[0]"),
        ("[" * 100_000, "line 2: not JSON: "),
    ],
)
def test_nothing_of_a_file_with_a_wrong_line_is_sent(
    batch: MakeBatch, simulator: Simulator, line: str, says: str
) -> None:
    code, records, err = batch([*users(1), line, *users(1)])
    assert (code, records) == (2, [])
    assert says in err
    assert "1 of 3 lines are invalid: nothing was sent" in err
    assert simulator.ledger.requests == 0


@pytest.mark.parametrize("line", ["{},Anna", "{}", "Anna;{}"])
def test_a_csv_is_recognized(batch: MakeBatch, simulator: Simulator, line: str) -> None:
    code, _, err = batch([line.format(n) for n in range(50)])
    assert code == 2
    assert err.count("\n") == 1
    assert "has no JSON objects: is it a CSV? Convert it, for example: jq -Rc" in err
    assert err.endswith("calls.jsonl | vkanyio batch\n")
    assert simulator.ledger.requests == 0


def test_of_many_wrong_lines_the_first_are_shown(batch: MakeBatch) -> None:
    code, _, err = batch(["{"] * 50)
    assert code == 2
    assert err.count("\n") == 11
    assert "50 of 50 lines are invalid (the first 10 are shown above)" in err


def test_what_the_schema_does_not_have_is_sent_on_demand(
    batch: MakeBatch, simulator: Simulator
) -> None:
    simulator.add_method("new.get", lambda call: call.integer("n"))
    call = {"method": "new.get", "params": {"n": 5}}
    assert batch([call])[0] == 2
    code, [record], _ = batch([call], "--unchecked")
    assert (code, record["response"]) == (0, 5)
    call = {"method": "users.get", "params": {"unheard_of_in_a_batch": 5}}
    code, _, err = batch([call], "--unchecked")
    assert code == 0
    assert "unheard_of" not in err  # without the warning that a program gets


def test_blank_lines_are_counted_and_null_is_not_sent(
    batch: MakeBatch, simulator: Simulator
) -> None:
    call = {"method": "users.get", "params": {"user_ids": 7, "fields": None}}
    code, [record], _ = batch(["", "  ", call, ""])
    assert (code, record["line"]) == (0, 3)
    [entry] = simulator.ledger.carried_out()
    assert "fields" not in entry.params


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere.jsonl"], "cannot read nowhere.jsonl: "),
        (["."], "cannot read .: "),
        ([""], "cannot read '': "),
        (["calls.jsonl", "-o", ""], "cannot write '': "),
        (["calls.jsonl", "-o", "calls.jsonl"], "the output is the input"),
        (["calls.jsonl", "-o", "no/where"], "cannot write no/where: "),
        (["calls.jsonl", "-o", "/dev/null"], "leave out --output"),
        (["calls.jsonl", "-o", "x" * 300], "cannot write"),
        (["calls.jsonl", "-o", "text"], "text exists, but its line 1 was not written"),
        (["calls.jsonl", "--limit", "0"], "limit"),
        (
            ["calls.jsonl", "out"],
            "unexpected argument 'out': write the output as --output out (see `vka",
        ),
        (["calls.jsonl", "out", "-o", "a"], "unexpected argument 'out' (see"),
    ],
)
def test_wrong_usage_is_one_line_that_names_it(
    words: list[str],
    says: str,
    simulator: Simulator,
    base_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_calls(tmp_path / "calls.jsonl", users(1))
    (tmp_path / "text").write_text("my dear diary\n", encoding="utf-8")
    assert run(["batch", *words, "--base-url", base_url]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert says in err
    assert err.count("\n") == 1
    assert simulator.ledger.requests == 0
    assert (tmp_path / "text").read_text(encoding="utf-8") == "my dear diary\n"
