"""What calling and called sessions share: requests inside the dialog, both ways, and the end.

Theory of operation. A *session* is one leg: all that follows from one `Dial` or one INVITE to us. It may have several dialogs (forks).
`Session.feed` moves its table's state; subclasses own the table (`caller`, `callee`). What repeats or is lost is the transactions'
matter; what an offer or answer says is the owner's. `Over` is put out once, when the table reaches its last state; transactions that
still absorb repeats then linger without it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Literal, Protocol

from ..core import FAULT, Table
from .dialog import Dialog
from .digest import Answers, Credentials
from .errors import LocalProtocolError
from .grammar import shown
from .message import Request, Response, check_header
from .renegotiation import Renegotiation
from .respond import CAPABILITIES
from .transaction import NON_INVITE_CLIENT, Host, State, Transaction
from .values import Address, ByeReceived, Headers, InfoReceived, Over, Resolved

Who = Literal["us", "peer", "network"]


class Ids(Protocol):
    """Chance, given from outside."""

    def hex(self, n: int, /) -> str: ...
    def number(self) -> int: ...
    def uuid(self) -> str: ...


class Stack(Host, Protocol):
    """What a session needs of the endpoint."""

    ids: Ids
    local: Address
    contact: str
    """Our Contact value."""
    agent: Headers
    """User-Agent, or nothing."""
    server: Headers
    """Server, or nothing."""
    credentials: tuple[Credentials, ...]

    def emit(self, output: object) -> None: ...
    def new_via(self) -> str: ...
    def client(
        self,
        table: Table,
        state: State,
        request: Request,
        destination: Address,
        user: Session,
        now: float,
        *,
        data: bytes = b"",
        repeating: bool = True,
    ) -> Transaction: ...
    def answer(
        self, tx: Transaction, status: int, now: float, *, phrase: str = "", tag: str = "", headers: Headers = (), body: bytes = b""
    ) -> None: ...
    def resolve(self, uri: str, then: Callable[[Resolved, float], None]) -> None: ...
    def locate(self, dialog: Dialog, then: Callable[[float], None], now: float) -> None: ...
    def arm_session(self, session: Session, timer: str, at: float) -> None: ...
    def disarm_session(self, session: Session, timer: str) -> None: ...
    def ended(self, session: Session) -> None: ...


class Session:
    """One leg. `table` and the inputs are the subclass's."""

    table: Table

    def __init__(self, stack: Stack, session: str, local_tag: str, state: Enum) -> None:
        self.stack = stack
        self.session = session
        self.local_tag = local_tag
        self.state = state
        self.answers = Answers(stack.credentials)
        self.reason = ""
        """The Reason header that the owner gave for CANCEL or BYE."""
        self.end: tuple[Who, int, str, str] = ("us", 0, "", "")
        """What `Over` will say: who, status, phrase, reason."""
        self.peer_reason = ""
        """The Reason header of the peer's BYE or CANCEL."""
        self.byes = 0
        """BYEs of ours that have no outcome yet."""
        self.over = False
        self.renegotiation = Renegotiation(self)

    # --- the table ---

    def feed(self, item: Enum, now: float) -> None:
        """Let one thing happen."""
        row = self.table[self.state][item]
        if isinstance(row, tuple):
            self.state = row[0]
            for step in row[1]:
                step(self, now)
        elif row is FAULT:
            raise AssertionError(f"{item.name} in {self.state.name}")

    def finish(self, now: float) -> None:
        """A step: say `Over`, once."""
        if not self.over:
            self.over = True
            self.renegotiation.stop(now)
            who, status, phrase, reason = self.end
            self.stack.emit(Over(session=self.session, who=who, status=status, phrase=phrase, reason=reason))
            self.stack.ended(self)

    # --- subclasses say ---

    def dialog_of(self, remote_tag: str, call_id: str) -> Dialog | None:
        """The dialog that a request of the peer belongs to."""
        raise NotImplementedError

    def talking(self) -> Dialog | None:
        """The dialog of an established session, or None."""
        raise NotImplementedError

    @property
    def ending(self) -> bool:
        """Whether it is being hung up, or over."""
        raise NotImplementedError

    def ends_with(self, dialog: Dialog) -> bool:
        """Whether a BYE on this dialog ends the session: one on a losing fork does not."""
        return True

    def peer_bye(self, now: float) -> None:
        """The peer's BYE has been answered."""
        raise NotImplementedError

    def quiet(self, now: float) -> None:
        """The last BYE of ours has its outcome."""
        raise NotImplementedError

    def lost(self, now: float) -> None:
        """The peer says that it does not know the dialog."""
        raise NotImplementedError

    def offer_refusal(self) -> int:
        """The status for a re-INVITE or UPDATE with an offer that comes now, or 0 where it may come."""
        raise NotImplementedError

    def hang_up_unacknowledged(self, now: float) -> None:
        """No ACK came for a 2xx to a re-INVITE in 64*T1."""
        raise NotImplementedError

    def on_response(self, transaction: Transaction, response: Response, source: Address, now: float) -> None:
        raise NotImplementedError

    def on_failed(self, transaction: Transaction, status: int, detail: str, now: float) -> None:
        raise NotImplementedError

    def on_timer(self, timer: str, now: float) -> None:
        raise NotImplementedError

    # --- requests of the peer inside the dialog ---

    def on_request(self, tx: Transaction, dialog: Dialog, now: float) -> None:
        """A BYE, INFO, OPTIONS, UPDATE or re-INVITE that comes in order."""
        request = tx.request
        method = request.method
        stack = self.stack
        if method == "BYE":
            stack.answer(tx, 200, now)
            if not self.over and self.ends_with(dialog):
                self.peer_reason = request.get("reason")
                self.peer_bye(now)
        elif method == "INFO":
            stack.answer(tx, 200, now)
            if not self.over and request.body:
                stack.emit(InfoReceived(session=self.session, content_type=request.get("content-type"), body=request.body))
        elif method == "OPTIONS":
            stack.answer(tx, 200, now, headers=CAPABILITIES)
        elif self.ending:
            stack.answer(tx, 481, now)
        else:
            self.renegotiation.request(tx, dialog, now)

    def report_bye(self, now: float) -> None:
        """A step: say that the far end hung up."""
        self.end = ("peer", 0, "", self.peer_reason)
        self.stack.emit(ByeReceived(session=self.session, reason=self.peer_reason))

    # --- requests of ours inside the dialog ---

    def send_in_dialog(self, dialog: Dialog, method: str, headers: Headers, body: bytes, now: float) -> None:
        """Send a request as soon as the next hop is known."""
        cseq = dialog.next_cseq()

        def leave(at: float) -> None:
            via = self.stack.new_via()
            request = dialog.request(method, cseq, via, (*self.authorize(method, dialog), *self.stack.agent, *headers), body)
            assert dialog.destination is not None
            self.stack.client(NON_INVITE_CLIENT, State.TRYING, request, dialog.destination, self, at)

        self.stack.locate(dialog, leave, now)

    def authorize(self, method: str, dialog: Dialog) -> Headers:
        """The credentials that a request carries, where the peer has asked for some."""
        if not self.answers:
            return ()
        return self.answers.headers(method, dialog.target, self.stack.ids.hex(16))

    def send_bye(self, dialog: Dialog, now: float) -> None:
        """BYE one dialog; `quiet` follows when none is left without an outcome."""
        self.byes += 1
        headers: Headers = (("Reason", self.reason),) if self.reason else ()
        self.send_in_dialog(dialog, "BYE", headers, b"", now)

    def on_dialog_response(self, tx: Transaction, dialog: Dialog, response: Response, now: float) -> None:
        """A response to a BYE or INFO of ours."""
        if response.status < 200:
            return
        if response.status in (401, 407) and self.answers.learn(response):
            headers: Headers = (("Reason", self.reason),) if self.reason and tx.request.method == "BYE" else ()
            if tx.request.get("content-type"):
                headers += (("Content-Type", tx.request.get("content-type")),)
            self.send_in_dialog(dialog, tx.request.method, headers, tx.request.body, now)
        elif tx.request.method == "BYE":
            self.bye_done(now)
        elif response.status in (408, 481):
            # RFC 3261 §12.2.1.2: the peer has no such dialog any more.
            self.end = ("peer", response.status, response.phrase, response.get("reason"))
            self.lost(now)

    def on_dialog_failed(self, tx: Transaction, status: int, detail: str, now: float) -> None:
        """A BYE or INFO of ours was not answered, or could not be sent."""
        if tx.request.method == "BYE":
            who, code, phrase, reason = self.end
            if who == "us" and code == 0:
                self.end = ("us", status, phrase or f"BYE: {detail}", reason)
            self.bye_done(now)

    def bye_done(self, now: float) -> None:
        self.byes -= 1
        if self.byes == 0:
            self.quiet(now)


def own_headers(headers: Headers, reserved: frozenset[str]) -> Headers:
    """The headers themselves. Raises `LocalProtocolError` where one would break a line or is ours to write."""
    for name, value in headers:
        if (wrong := check_header(name, value)) is not None:
            raise LocalProtocolError(wrong)
        if name.lower() in reserved:
            raise LocalProtocolError(f"the stack itself writes {name}")
    return headers


def own_text(text: str, what: str) -> str:
    """The text itself. Raises `LocalProtocolError` where it would break its line."""
    if "\r" in text or "\n" in text or "\0" in text:
        raise LocalProtocolError(f"{what} holds a line break or NUL: {shown(text)}")
    return text
