"""The whole node, Kamailio and SIPp: a proxy that record-routes; what follows the 200 goes through it, loosely routed (RFC 3261 §16.12)."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.calls_at_once import HANDLER, SHORT, Ended, pause, place
from helpers.kamailio import Kamailio, needs_kamailio
from helpers.live_node import LiveNode
from helpers.sipp import EMPTY, KEEP_PARTIES, OWN_BYE, TAG, Sipp, answer, called, jump, label, needs_sipp, ok, recv, send, wait

pytestmark = [pytest.mark.peer, needs_sipp, needs_kamailio]

WE_HANG_UP, IT_HANGS_UP, NEVER, BUSY = "+12065550150", "+12065550151", "+12065550152", "+12065550153"
TAKES = answer("180 Ringing") + answer("200 OK", sdp=True, again=True) + recv("ACK")
KEEP_VIAS = "".join(f'<ereg regexp=".*" search_in="hdr" header="Via:" occurrence="{n}" assign_to="via{n}"/>' for n in (1, 2))
# The CANCEL is the proxy's own and has one Via; the 487 is a response to the INVITE, which has two.
TERMINATED = send(
    f"SIP/2.0 487 Request Terminated\nVia:[$via1]\nVia:[$via2]\nFrom:[$from]\nTo:[$to]{TAG}\n[last_Call-ID:]\nCSeq: 1 INVITE\n{EMPTY}",
    again=True,
)
CALLEE = (
    recv(
        "INVITE", 'rrs="true"',
        KEEP_PARTIES + KEEP_VIAS + called("it", IT_HANGS_UP) + called("never", NEVER) + called("busy", BUSY),
    ),
    jump("1", "it"), jump("2", "never"), jump("3", "busy"),
    TAKES, recv("BYE"), ok(), jump("9"),
    label("1"), TAKES, wait(200), OWN_BYE, recv("200"), jump("9"),
    label("2"), answer("180 Ringing"), recv("CANCEL"), ok(), TERMINATED, recv("ACK"), jump("9"),
    label("3"), answer("486 Busy Here", again=True), recv("ACK"),
    label("9"), wait(10),
)  # fmt: skip


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Ended], str]:
    """How each call went, and Kamailio's address."""
    folder: Path = tmp_path_factory.mktemp("kamailio")
    plans = {WE_HANG_UP: SHORT, IT_HANGS_UP: {"CALL_ANSWERED": [pause(20_000)]}, NEVER: {}, BUSY: {}}
    with ExitStack() as stack:
        peer = stack.enter_context(Sipp(folder / "peer", CALLEE, calls=len(plans), limit=40))
        proxy = stack.enter_context(Kamailio(folder / "proxy", peer.address))
        trunk = f"sip:{proxy.address[0]}:{proxy.address[1]}"
        node = stack.enter_context(LiveNode(folder, handler=HANDLER, trunk=trunk, settings={"ring_timeout": "2s"}))
        placed = {number: place(node, number, plan) for number, plan in plans.items()}
        verdict = peer.wait()
        histories = {number: node.finished(call) for number, call in placed.items()}
        calls = {number: Ended(history=one, verdict=verdict, events=node.events(one)) for number, one in histories.items()}
        return calls, f"{proxy.address[0]}:{proxy.address[1]}"


@pytest.mark.parametrize(
    ("number", "reason", "code", "who"),
    [
        (WE_HANG_UP, "completed", 0, "us"),
        (IT_HANGS_UP, "completed", 0, "callee"),
        (NEVER, "no_answer", 480, "us"),
        (BUSY, "busy", 486, "callee"),
    ],
)
def test_a_call_through_a_proxy(ended: tuple[dict[str, Ended], str], number: str, reason: str, code: int, who: str) -> None:
    call = ended[0][number]
    call.all_is_well()
    assert (call.reason, call.code) == (reason, code)
    assert call.history.cdr is not None
    assert call.history.cdr.termination.who == who


def test_ack_and_bye_go_to_the_proxy_with_its_route_and_the_callees_address(ended: tuple[dict[str, Ended], str]) -> None:
    calls, proxy = ended
    call = calls[WE_HANG_UP]
    [dialog] = call.history.dialogs
    assert [proxy in route and "lr" in route for route in dialog.routes] == [True]
    sent = [row for row in call.history.sip if row.way == "sent" and row.message.split(b" ", 1)[0] in (b"ACK", b"BYE")]
    assert [row.message.split(b" ", 1)[0] for row in sent] == [b"ACK", b"BYE"]
    for row in sent:
        start, _, headers = row.message.decode().partition("\r\n")
        assert row.destination.endswith(proxy)
        assert dialog.remote_target in start
        assert f"Route: {dialog.routes[0]}" in headers
    assert sum(text.startswith("BYE") and "Route:" not in text for text in call.verdict.heard) == 1
