"""`/_outdial/v1` over a real socket, with plain HTTP as the command line speaks it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from helpers.api_server import ApiServer
from outdial import __version__
from outdial.api import sigv4
from outdial.api.admin.calls import SHOWN, in_order
from outdial.api.context import ApiSettings
from outdial.io import http as port
from outdial.model.events import NewOutboundCall, Ringing
from outdial.model.ids import ApplicationId, CallId, FunctionName, KeyId, LegId
from outdial.model.participants import Participant
from outdial.model.records import (
    AttributesRow,
    CallEnded,
    CallRow,
    EventRow,
    InvocationDone,
    InvocationRow,
    LegRow,
    NoteRow,
    Record,
    SipMessageRow,
)
from outdial.model.resources import ApplicationRow, CallHistory, CallSummary, KeyRow
from outdial.model.terminations import Termination

V1 = "/_outdial/v1"


class Local:
    """Asks a node as a program on its own machine does."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=20)
        try:
            raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
            connection.request(method, path, raw, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


@pytest.fixture
def ask(server: ApiServer) -> Local:
    return Local(server)


def test_health_says_that_it_lives_and_whether_it_is_ready(server: ApiServer, ask: Local) -> None:
    assert ask("GET", "/healthz") == (200, {"status": "ok"})
    assert ask("GET", "/readyz") == (200, {"status": "ready"})
    server.node.why_not = "The node is draining"
    assert ask("GET", "/readyz") == (503, {"status": "not ready", "message": "The node is draining"})
    assert ask("GET", "/healthz") == (200, {"status": "ok"})


def test_metrics_are_prometheus_text(server: ApiServer) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.read() == server.node.metrics()
    connection.close()


def test_status_and_configuration(ask: Local) -> None:
    assert ask("GET", f"{V1}/status") == (200, {"calls": 0, "version": __version__, "ready": None})
    assert ask("GET", f"{V1}/config") == (200, {"limits": "relaxed"})


def test_functions_are_added_listed_and_reloaded(server: ApiServer, ask: Local) -> None:
    assert ask("GET", f"{V1}/functions") == (200, {"functions": []})
    status, added = ask("PUT", f"{V1}/functions/reminder", {"spec": "python:reminder.py:handler"})
    assert (status, added["name"], added["state"], added["spec"]["target"]) == (200, "reminder", "served", "reminder.py")
    assert ask("GET", f"{V1}/functions") == (200, {"functions": [added]})
    assert ask("POST", f"{V1}/functions/reminder/reload") == (200, added)
    assert server.functions.reloaded == ["reminder"]
    assert ask("POST", f"{V1}/functions/other/reload") == (
        404,
        {"message": "No function is called other", "hint": "outdial function ls shows those that are"},
    )
    assert ask("PUT", f"{V1}/functions/reminder", {"spec": "perl:x"})[0] == 400
    assert ask("PUT", f"{V1}/functions/reminder", {})[1]["message"] == "spec is missing"


def test_a_keys_secret_is_shown_once(ask: Local) -> None:
    status, made = ask("POST", f"{V1}/keys", {"label": "ci"})
    assert status == 201
    assert made["secret"]
    assert made["label"] == "ci"
    secret = made.pop("secret")
    assert ask("GET", f"{V1}/keys") == (200, {"keys": [made]})
    assert secret not in json.dumps(ask("GET", f"{V1}/keys"))
    assert ask("DELETE", f"{V1}/keys/{made['id']}") == (204, None)
    assert ask("DELETE", f"{V1}/keys/{made['id']}")[0] == 404
    assert ask("GET", f"{V1}/keys") == (200, {"keys": []})


def test_numbers_come_and_go(ask: Local) -> None:
    status, row = ask("POST", f"{V1}/numbers", {"number": "+442079460000"})
    assert (status, row["e164"], row["country"]) == (201, "+442079460000", "GB")
    assert ask("POST", f"{V1}/numbers", {"number": "+442079460000"})[0] == 409
    assert ask("GET", f"{V1}/numbers") == (200, {"numbers": [row]})
    assert ask("DELETE", f"{V1}/numbers/+442079460000") == (204, None)
    assert ask("DELETE", f"{V1}/numbers/+442079460000")[0] == 404
    status, refused = ask("POST", f"{V1}/numbers", {"number": "12"})
    assert status == 201
    status, refused = ask("POST", f"{V1}/numbers", {"number": "x"})
    assert (status, refused["message"].partition(":")[0]) == (400, "'****' is not a number in international form")


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"number": 5}', b'{"number": true}'])
def test_a_body_that_is_wrong_is_told_so(ask: Local, body: bytes) -> None:
    status, answer = ask("POST", f"{V1}/numbers", body)
    assert status == 400
    assert answer["message"]


def test_a_large_body_is_refused_and_the_answer_arrives(ask: Local) -> None:
    assert ask("POST", f"{V1}/numbers", b" " * 10_000_000) == (413, {"message": "The body is larger than 65536 bytes"})


def test_a_database_that_refuses_changes_nothing(server: ApiServer, ask: Local) -> None:
    server.resources.switch.refusing = True
    assert ask("POST", f"{V1}/numbers", {"number": "+442079460000"}) == (
        503,
        {"message": "The database is locked", "hint": "Nothing was changed: try again"},
    )


def test_applications_say_who_serves_them(server: ApiServer, ask: Local) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:reminder:live"
    row = ApplicationRow(
        id=ApplicationId("a1"), name="n", region="us-east-1", account="000000000000", lambda_arn=arn, created_at=1, updated_at=1
    )
    server.run(lambda: server.resources.applications.create(row))
    status, answer = ask("GET", f"{V1}/applications")
    assert status == 200
    [line] = answer["applications"]
    assert (line["id"], line["function"], line["state"]) == ("a1", "reminder", "unserved")
    assert line["detail"].startswith("Nothing serves reminder")


def test_shutting_down_is_passed_on(server: ApiServer, ask: Local) -> None:
    assert ask("POST", f"{V1}/shutdown") == (202, {"draining": 20})
    assert ask("POST", f"{V1}/shutdown", {"within": 0}) == (202, {"draining": 0})
    assert server.node.shut_downs == [20.0, 0.0]
    assert ask("POST", f"{V1}/shutdown", {"within": -1})[0] == 400
    assert ask("POST", f"{V1}/shutdown", {"within": "soon"})[0] == 400


@pytest.mark.parametrize(("method", "path"), [("GET", f"{V1}/nope"), ("POST", f"{V1}/status"), ("GET", "/_outdial/v2/status")])
def test_what_does_not_exist_is_not_found(ask: Local, method: str, path: str) -> None:
    assert ask(method, path) == (
        404,
        {"message": f"Nothing stands at {method} {path}", "hint": "docs/admin-api.md lists what does"},
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:8060"}, 200), ({"Host": "[::1]:8060"}, 200), ({"Host": "127.0.0.2"}, 200), ({"Host": "rebound.example"}, 403),
        ({"Host": "127.0.0.1.rebound.example"}, 403), ({"Origin": "http://localhost:3000"}, 200), ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403), ({"Host": "[bad"}, 403),
    ],
)  # fmt: skip
def test_on_loopback_a_web_page_of_elsewhere_may_not(ask: Local, headers: dict[str, str], status: int) -> None:
    assert ask("GET", f"{V1}/status", **headers)[0] == status


def test_elsewhere_every_request_is_signed() -> None:
    with ApiServer(ApiSettings(loopback=False)) as server:
        ask = Local(server)
        row = KeyRow(id=KeyId("ODCLI"), secret="s", account="000000000000", created_at=1)
        server.run(lambda: server.resources.keys.create(row))
        assert ask("GET", f"{V1}/status") == (
            403,
            {"message": "Missing Authentication Token", "hint": "Sign the request with a key of this node"},
        )
        at = datetime.now(UTC).timestamp()
        host = f"{server.host}:{server.port}"
        body = json.dumps({"label": "x"}).encode()
        for secret, status in (("s", 201), ("wrong", 403)):
            signed = sigv4.sign(method="POST", path=f"{V1}/keys", host=host, body=body, key="ODCLI", secret=secret, at=at)
            assert ask("POST", f"{V1}/keys", body, **signed)[0] == status
        assert ask("GET", "/healthz")[0] == 200


# --- calls ---

CALL, LEG = CallId("6d5b2d3c-0000-4000-8000-000000000001"), LegId("6d5b2d3c-0000-4000-8000-000000000002")
PARTICIPANT = Participant(leg=LEG, tag="LEG-A", to="+12065550150", from_="+12065550100", direction="Outbound", started_at=1000)
ROW = CallRow(
    call=CALL,
    application=ApplicationId("a1"),
    function=FunctionName("reminder"),
    account="000000000000",
    region="us-east-1",
    key=KeyId("outdial"),
    from_="+12065550100",
    to="+12065550150",
    started_at=1000,
)
TERMINATION = Termination(who="callee", result="success", reason="completed")
EVENT = EventRow(call=CALL, number=1, leg=LEG, event=NewOutboundCall(), participants=(PARTICIPANT,), at=1001)
RINGING = EventRow(call=CALL, number=2, leg=LEG, event=Ringing(), participants=(PARTICIPANT,), at=1500)
GIVEN = InvocationRow(call=CALL, sequence=1, number=1, function=FunctionName("reminder"), request=b"{}", given_at=1002)
DONE = InvocationDone(call=CALL, sequence=1, outcome="replied", reply=b"{}", done_at=1010)
INVITE = SipMessageRow(call=CALL, leg=LEG, at=1003, way="sent", transport="udp", source="a", destination="b", message=b"INVITE \xff")
ENDED = CallEnded(call=CALL, ended_at=2000, termination=TERMINATION)
HISTORY = CallHistory(call=ROW, legs=(LegRow(call=CALL, participant=PARTICIPANT),), events=(EVENT,), invocations=(GIVEN,))


def keep(server: ApiServer, history: CallHistory) -> None:
    server.resources.calls.rows[history.call.call] = history


def test_a_call_is_shown_as_our_values(server: ApiServer, ask: Local) -> None:
    keep(server, HISTORY)
    status, answer = ask("GET", f"{V1}/calls/{CALL}")
    assert status == 200
    assert msgspec.convert(answer, CallHistory, builtin_types=()) == HISTORY
    assert ask("GET", f"{V1}/calls/other") == (404, {"message": "There is no such call", "hint": "outdial calls ls shows those that are"})


def test_calls_are_listed_newest_first_in_pages(server: ApiServer, ask: Local) -> None:
    for n in range(5):
        call = CallId(f"c{n}")
        keep(server, CallHistory(call=msgspec.structs.replace(ROW, call=call, started_at=n), ended=ENDED if n else None))
    seen: list[CallSummary] = []
    query = "?limit=2"
    while True:
        status, answer = ask("GET", f"{V1}/calls{query}")
        assert status == 200
        seen += msgspec.convert(answer["calls"], list[CallSummary])
        if answer["next"] is None:
            break
        query = f"?limit=2&before={answer['next']}"
    assert [line.call.call for line in seen] == ["c4", "c3", "c2", "c1", "c0"]
    assert [line.state for line in seen] == ["ended"] * 4 + ["in_progress"]
    for wrong in ("?limit=0", "?limit=x", "?before=x"):
        assert ask("GET", f"{V1}/calls{wrong}")[0] == 400


def test_records_are_told_in_the_order_of_their_happening() -> None:
    history = msgspec.structs.replace(HISTORY, events=(EVENT, RINGING), outcomes=(DONE,), sip=(INVITE,), ended=ENDED)
    assert in_order(history) == [ROW, LegRow(call=CALL, participant=PARTICIPANT), EVENT, GIVEN, INVITE, DONE, RINGING, ENDED]


def tell(server: ApiServer, record: Record) -> None:
    server.run(lambda: server.follow.tell(CALL, record))


class Follower:
    """A client that reads lines as they come."""

    def __init__(self, server: ApiServer) -> None:
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
        self.connection.request("GET", f"{V1}/calls/{CALL}/follow")
        self.answer = self.connection.getresponse()
        assert self.answer.headers["content-type"] == "application/x-ndjson"

    def next(self) -> Any:
        line = self.answer.readline()
        return msgspec.json.decode(line, type=SHOWN) if line else None


def test_a_call_is_followed_from_its_beginning_to_its_end(server: ApiServer) -> None:
    keep(server, HISTORY)
    follower = Follower(server)
    assert [follower.next() for _ in range(4)] == in_order(HISTORY)
    server.run(lambda: server.follow.tell(CALL, EVENT))  # on record already: no double
    server.run(lambda: server.follow.tell(CALL, AttributesRow(call=CALL, attributes=b"{}")))  # for a restart only
    for record in (DONE, RINGING, ENDED):
        tell(server, record)
    assert [follower.next() for _ in range(3)] == [DONE, RINGING, ENDED]
    assert follower.next() is None
    assert server.follow.closed == [True]
    follower.connection.close()


def test_a_call_that_has_ended_is_told_and_that_is_all(server: ApiServer) -> None:
    keep(server, msgspec.structs.replace(HISTORY, ended=ENDED))
    follower = Follower(server)
    lines = []
    while (record := follower.next()) is not None:
        lines.append(record)
    assert lines[-1] == ENDED
    assert server.follow.closed == [True]
    follower.connection.close()


def test_what_was_not_committed_at_first_is_told_later(server: ApiServer) -> None:
    """A record that was handed to the store before we subscribed and committed after we read."""
    keep(server, HISTORY)
    follower = Follower(server)
    assert [follower.next() for _ in range(4)] == in_order(HISTORY)
    late = NoteRow(call=CALL, at=1600, level="info", what="late")
    server.run(lambda: keep(server, msgspec.structs.replace(HISTORY, notes=(late,))))
    assert follower.next() == late
    server.run(lambda: server.follow.tell(CALL, ENDED))
    assert follower.next() == ENDED
    follower.connection.close()


def test_a_follower_that_leaves_costs_nothing_more(server: ApiServer) -> None:
    keep(server, HISTORY)
    follower = Follower(server)
    assert follower.next() == ROW
    follower.answer.close()
    follower.connection.close()
    server.wait_until(lambda: server.follow.closed == [True])


def test_a_node_that_stops_ends_its_followers(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(port, "STOP_S", 0.05)
    with ApiServer() as server:
        keep(server, HISTORY)
        follower = Follower(server)
        assert follower.next() == ROW
    assert server.follow.closed == [True]
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []
    follower.connection.close()


def test_an_unknown_call_cannot_be_followed(server: ApiServer, ask: Local) -> None:
    assert ask("GET", f"{V1}/calls/other/follow")[0] == 404
    assert server.follow.closed == [True]
