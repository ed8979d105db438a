"""A session that we began: INVITE held and let go, forks, CANCEL and its crossings, fail-over, challenges (RFC 3261 §13.2, §9.1).

Theory of operation. `Dial` asks for the trunk's targets, then the INVITE is built and *held*; it leaves on `Go`, so that the owner can
write it down before. A challenge or a target that failed before any sign of life brings the session back to HELD with a new INVITE.
The first 2xx wins; every other fork, and every 2xx after a CANCEL, gets ACK and BYE without the owner. A CANCEL waits for the
first provisional response (RFC 3261 §9.1), since one that overtakes its INVITE finds nothing.
"""

from __future__ import annotations

from .bodies import sdp_of
from .caller_table import CALLER, Input, State
from .dialog import Dialog
from .errors import LocalProtocolError, RemoteProtocolError
from .grammar import quote
from .headers import parse_cseq, parse_name_addr, tag_of
from .message import Request, Response, make_request
from .respond import ALLOW, SUPPORTED
from .route_set import check_target, contact_of, route_set
from .session import Session, Stack, own_headers, own_text
from .siblings import cancel_of
from .transaction import INVITE_CLIENT, NON_INVITE_CLIENT, Transaction
from .transaction import State as TxState
from .uri import bracketed, parse_uri
from .values import Accepted, Address, AdoptDialog, AdoptInvite, Dial, Headers, Resolved

RESERVED = frozenset(
    (
        *("via", "v", "from", "f", "to", "t", "call-id", "i", "cseq", "max-forwards", "contact", "m"),
        *("content-length", "l", "content-type", "c", "record-route", "allow", "supported", "k"),
    )
)
"""What `Dial.headers` may not hold: these are ours to write."""


MOST_EARLY = 32
"""Early dialogs that are remembered."""
_KEPT = frozenset({"Via", "From", "To", "Call-ID", "CSeq", "Route", "Authorization", "Proxy-Authorization"})


class Fork:
    """One 2xx: its dialog and its ACK."""

    __slots__ = ("ack", "body", "dialog", "wanted")

    def __init__(self, dialog: Dialog) -> None:
        self.dialog = dialog
        self.wanted = False
        self.body: bytes | None = None
        """The ACK's body, once the ACK is to leave."""
        self.ack = b""


class Caller(Session):
    """A call from us, from `Dial` to `Over`."""

    table = CALLER

    def __init__(self, stack: Stack, session: str, local_tag: str, state: State) -> None:
        super().__init__(stack, session, local_tag, state)
        self.dial: Dial | None = None
        self.call_id = ""
        self.cseq = 1
        self.invite: Request | None = None
        self.data = b""
        self.tx: Transaction | None = None
        self.targets: tuple[Address, ...] = ()
        self.at_target = 0
        self.rang = False
        """A provisional other than 100 has come: no other target is tried any more."""
        self.cancelled = False
        self.adopted = False
        """Its INVITE left in an earlier run."""
        self.forks: dict[str, Fork] = {}
        self.early: dict[str, tuple[Response, Address]] = {}
        """Provisional responses by tag: each began an early dialog, which is built when the peer uses it."""
        self.early_dialogs: dict[str, Dialog] = {}
        self.winner: Fork | None = None
        self.response: Response | None = None
        self.source = stack.local
        self.failure: tuple[int, str] = (0, "")

    # --- commands ---

    @classmethod
    def begin(cls, stack: Stack, dial: Dial) -> Caller:
        """Start from a `Dial`. Raises `LocalProtocolError` where it would break the message."""
        for text, what in (
            (dial.uri, "uri"),
            (dial.from_uri, "from_uri"),
            (dial.to_uri, "to_uri"),
            (dial.from_name, "from_name"),
            (dial.content_type, "content_type"),
            (dial.target, "target"),
        ):
            own_text(text, what)
        for uri in (dial.uri, dial.from_uri, dial.to_uri, dial.target):
            try:
                parse_uri(uri)
            except RemoteProtocolError as error:
                raise LocalProtocolError(error.detail) from None
        own_headers(dial.headers, RESERVED)
        self = cls(stack, dial.session, stack.ids.hex(16), State.RESOLVING)
        self.dial = dial
        self.call_id = stack.ids.hex(32)
        stack.resolve(dial.target, self._resolved)
        return self

    @classmethod
    def adopt_invite(cls, stack: Stack, item: AdoptInvite, invite: Request, now: float) -> Caller:
        """CANCEL an INVITE of an earlier run and deal with what comes of it. Raises `RemoteProtocolError` where it cannot be read."""
        self = cls._adopt(stack, item.session, invite, item.invite, item.destination, State.CANCELLING)
        self.cancelled = self.adopted = True
        self.tx = stack.client(INVITE_CLIENT, TxState.CALLING, invite, item.destination, self, now, data=item.invite, repeating=False)
        self.send_cancel(now)
        return self

    @classmethod
    def adopt_dialog(cls, stack: Stack, item: AdoptDialog, invite: Request, now: float) -> Caller:
        """ACK and BYE a dialog of an earlier run. Raises `RemoteProtocolError` where what was stored cannot be read."""
        target = check_target(item.remote_target)
        for route in item.routes:
            parse_name_addr(route, "Route")
        self = cls._adopt(stack, item.session, invite, item.invite, item.destination, State.HANGING_UP)
        self.tx = stack.client(INVITE_CLIENT, TxState.ACCEPTED, invite, item.destination, self, now, data=item.invite, repeating=False)
        remote = invite.get("to") + (f";tag={item.remote_tag}" if item.remote_tag else "")
        fork = self._add_fork(self._dialog(remote, item.remote_tag, target, item.routes, item.destination))
        fork.dialog.local_cseq = self.cseq + 999
        self.acknowledge(fork, b"", now)
        self.send_bye(fork.dialog, now)
        return self

    @classmethod
    def _adopt(cls, stack: Stack, session: str, invite: Request, data: bytes, destination: Address, state: State) -> Caller:
        tag = tag_of(invite.get("from"), "From")
        self = cls(stack, session, tag, state)
        self.call_id = invite.get("call-id")
        self.cseq = parse_cseq(invite.get("cseq"))[0]
        self.invite, self.data = invite, data
        self.targets = (destination,)
        return self

    def go(self, now: float) -> None:
        self.feed(Input.GO, now)

    def hang_up(self, reason: str, now: float) -> None:
        """`Cancel` or `Bye`: whichever fits the state, since the two may cross a 2xx."""
        if not self.reason:
            self.reason = own_text(reason, "reason")
        self.feed(Input.CANCEL, now)

    def acknowledge_fork(self, name: str, body: bytes, now: float) -> None:
        fork = self.forks.get(name)
        if fork is not None and fork.body is None:
            self.acknowledge(fork, body, now)

    # --- what the transactions say ---

    def on_response(self, transaction: Transaction, response: Response, source: Address, now: float) -> None:
        method = transaction.request.method
        if method == "INVITE":
            self._on_invite_response(response, source, now)
        elif method == "CANCEL":
            if self.adopted and response.status == 481:
                self.feed(Input.UNKNOWN, now)
        else:
            dialog = self._dialog_of_request(transaction.request)
            if dialog is not None:
                self.on_dialog_response(transaction, dialog, response, now)

    def on_failed(self, transaction: Transaction, status: int, detail: str, now: float) -> None:
        method = transaction.request.method
        if method == "INVITE":
            self.failure = (status, detail)
            self.response = None
            self.feed(Input.FAIL_OVER if self._another_target() else Input.FAILURE, now)
        elif method != "CANCEL":
            dialog = self._dialog_of_request(transaction.request)
            if dialog is not None:
                self.on_dialog_failed(transaction, status, detail, now)

    def on_timer(self, timer: str, now: float) -> None:
        if timer.startswith("re:"):
            self.renegotiation.on_timer(timer[3:], now)
        else:
            self.feed(Input.ABANDON, now)

    def _on_invite_response(self, response: Response, source: Address, now: float) -> None:
        self.response, self.source = response, source
        status = response.status
        if status < 200:
            self.feed(Input.PROVISIONAL, now)
        elif status < 300:
            self.feed(Input.SUCCESS, now)
        elif status in (401, 407) and self.state in (State.CALLING, State.PROCEEDING) and self.answers.learn(response):
            self.feed(Input.CHALLENGE, now)
        elif status == 503 and self._another_target():
            self.feed(Input.FAIL_OVER, now)
        else:
            self.feed(Input.FAILURE, now)
        self.response = None

    def _another_target(self) -> bool:
        return not self.rang and self.at_target + 1 < len(self.targets)

    def _resolved(self, resolved: Resolved, now: float) -> None:
        self.targets = resolved.targets
        self.failure = (503, resolved.detail or "the name does not resolve")
        self.feed(Input.TARGETS if resolved.targets else Input.NO_TARGETS, now)

    # --- what the shared part asks ---

    def dialog_of(self, remote_tag: str, call_id: str) -> Dialog | None:
        if call_id != self.call_id:
            return None
        fork = self.forks.get(remote_tag)
        if fork is not None:
            return fork.dialog
        if remote_tag in self.early and not self.over and remote_tag not in self.early_dialogs:
            self.early_dialogs[remote_tag] = self._dialog_of_response(*self.early[remote_tag])
        return self.early_dialogs.get(remote_tag)

    def rung_by(self, tag: str, response: Response) -> None:
        """A provisional response began an early dialog."""
        if tag and len(self.early) < MOST_EARLY:
            self.early.setdefault(tag, (response, self.source))

    def _dialog_of_request(self, request: Request) -> Dialog | None:
        fork = self.forks.get(tag_of(request.get("to"), "To"))
        return fork.dialog if fork is not None else None

    def talking(self) -> Dialog | None:
        return self.winner.dialog if self.winner is not None and self.state is State.TALKING else None

    @property
    def ending(self) -> bool:
        return self.state in (State.HANGING_UP, State.OVER)

    def ends_with(self, dialog: Dialog) -> bool:
        return self.winner is None or self.winner.dialog is dialog

    def peer_bye(self, now: float) -> None:
        self.feed(Input.PEER_BYE, now)

    def quiet(self, now: float) -> None:
        self.feed(Input.QUIET, now)

    def lost(self, now: float) -> None:
        self.feed(Input.LOST, now)

    def offer_refusal(self) -> int:
        if self.winner is None:
            return 491  # our offer in the INVITE has no answer yet
        # Our INVITE had no body: its 2xx holds the offer, and the answer leaves with the ACK (RFC 3261 §13.2.1).
        offered_to_us = self.invite is not None and not self.invite.body
        return 491 if offered_to_us and self.winner.body is None else 0

    def hang_up_unacknowledged(self, now: float) -> None:
        self.end = ("network", 408, "no ACK came for a re-INVITE", "")
        self.feed(Input.CANCEL, now)

    def finish(self, now: float) -> None:
        """A step: `Over`; what late forks and repeats of a 2xx need is kept, the rest let go."""
        super().finish(now)
        self.dial, self.data, self.targets = None, b"", ()
        self.early.clear()
        self.early_dialogs.clear()
        if self.invite is not None and self.tx is not None:
            kept = tuple(pair for pair in self.invite.headers if pair[0] in _KEPT)
            self.invite = self.tx.request = make_request("INVITE", self.invite.uri, kept)

    # --- making things ---

    def build(self) -> None:
        """Build the INVITE for the target in turn."""
        dial, stack = self.dial, self.stack
        assert dial is not None
        name = f"{quote(dial.from_name)} " if dial.from_name else ""
        own = {key.lower() for key, _ in dial.headers}
        headers: Headers = (
            ("Via", stack.new_via()),
            ("Max-Forwards", "70"),
            ("From", f"{name}<{dial.from_uri}>;tag={self.local_tag}"),
            ("To", f"<{dial.to_uri}>"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.cseq} INVITE"),
            ("Contact", stack.contact),
            *(self.answers.headers("INVITE", dial.uri, stack.ids.hex(16)) if self.answers else ()),
            ALLOW,
            SUPPORTED,
            *(stack.agent if "user-agent" not in own else ()),
            *dial.headers,
        )
        if dial.body:
            headers += (("Content-Type", dial.content_type),)
        self.invite = make_request("INVITE", dial.uri, headers, dial.body)
        self.data = self.invite.encode()

    def _add_fork(self, dialog: Dialog) -> Fork:
        fork = self.forks[dialog.remote_tag] = Fork(dialog)
        return fork

    def _dialog(self, remote: str, tag: str, target: str, routes: tuple[str, ...], source: Address) -> Dialog:
        assert self.invite is not None
        return Dialog(
            call_id=self.call_id,
            local=self.invite.get("from"),
            local_tag=self.local_tag,
            remote=remote,
            remote_tag=tag,
            target=target,
            routes=routes,
            local_cseq=self.cseq,
            remote_cseq=-1,
            fallback=source,
        )

    def _dialog_of_response(self, response: Response, source: Address) -> Dialog:
        """Where its Contact or Record-Route cannot be used, requests go whence it came, so that the dialog can be ended."""
        remote = response.get("to")
        try:
            target = check_target(contact_of(response))
            routes = route_set(response, reverse=True)
            for route in routes[:1]:
                check_target(parse_name_addr(route, "Record-Route").uri)
        except RemoteProtocolError:
            target = f"sip:{bracketed(source.host)}:{source.port}"
            routes = ()
        return self._dialog(remote, tag_of(remote, "To"), target, routes, source)

    def new_fork(self) -> Fork:
        """The dialog of a 2xx; an early one goes on with the peer's numbers (RFC 3261 §13.2.2.4)."""
        assert self.response is not None
        dialog = self._dialog_of_response(self.response, self.source)
        early = self.early_dialogs.get(dialog.remote_tag)
        if early is not None:
            dialog.remote_cseq = early.remote_cseq
        return self._add_fork(dialog)

    def report_fork(self, fork: Fork) -> None:
        response, dialog = self.response, fork.dialog
        assert response is not None
        self.stack.emit(
            Accepted(
                session=self.session,
                fork=dialog.remote_tag,
                wanted=fork.wanted,
                remote_tag=dialog.remote_tag,
                remote_target=dialog.target,
                routes=dialog.routes,
                body=sdp_of(response) or b"",
                headers=response.headers,
                source=self.source,
            )
        )

    def acknowledge(self, fork: Fork, body: bytes, now: float) -> None:
        """Let the ACK of a 2xx leave; it is kept for the repeats (RFC 3261 §13.2.2.4)."""
        fork.body = body
        dialog = fork.dialog

        def leave(at: float) -> None:
            assert self.invite is not None
            assert dialog.destination is not None
            # RFC 3261 §13.2.2.4: the same credentials as the INVITE.
            headers: Headers = tuple(pair for pair in self.invite.headers if pair[0] in ("Authorization", "Proxy-Authorization"))
            if body:
                headers += (("Content-Type", "application/sdp"),)
            fork.ack = dialog.request("ACK", self.cseq, self.stack.new_via(), headers, body).encode()
            self.stack.send(fork.ack, dialog.destination, self.session)

        self.stack.locate(dialog, leave, now)

    def known_fork(self) -> Fork | None:
        assert self.response is not None
        return self.forks.get(tag_of(self.response.get("to"), "To"))

    def acknowledge_again(self, fork: Fork) -> None:
        if fork.ack and fork.dialog.destination is not None:
            self.stack.send(fork.ack, fork.dialog.destination, self.session)

    def send_cancel(self, now: float) -> None:
        assert self.invite is not None
        cancel = cancel_of(self.invite, self.reason)
        self.stack.client(NON_INVITE_CLIENT, TxState.TRYING, cancel, self.targets[self.at_target], self, now)
        self.stack.arm_session(self, "cancel", now + self.stack.timers.patience)
