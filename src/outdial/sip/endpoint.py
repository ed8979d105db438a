"""The endpoint: the one SIP core that others see. Datagrams and commands in, datagrams and events out.

Theory of operation. A command finds its session by name, a response its client transaction by branch and method; requests are the matter
of `server`. All timers stand in one heap; nothing is ever searched. Nothing that arrives raises: what cannot be used becomes `Malformed`.
`LocalProtocolError` is raised for misuse by the owner.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ..core import Deadline, Table
from ..core import Timers as TimerHeap
from .callee import Callee
from .caller import RESERVED, Caller
from .dialog import Dialog
from .digest import Credentials
from .errors import LocalProtocolError, RemoteProtocolError
from .message import Request, Response
from .parse import essentials, parse, usual_key
from .respond import respond
from .route_set import address_of
from .server import Server
from .session import Ids, Session, own_headers, own_text
from .timers import Timers
from .transaction import (
    INVITE_SERVER,
    Input,
    State,
    Transaction,
    start_client,
)
from .uri import bracketed
from .values import (
    Accept,
    Acknowledge,
    Address,
    AdoptDialog,
    AdoptInvite,
    Bye,
    Cancel,
    Datagram,
    Dial,
    Go,
    Headers,
    Malformed,
    Over,
    Reject,
    Resolve,
    Resolved,
    Ring,
    SendInfo,
    Trace,
    Transmit,
    TransportFailed,
)
from .via import MAGIC

_WHY = {item: item.name.lower() for item in Input}


class Endpoint:
    """A SIP user agent on one address, both roles. Outputs are those of `values`; `Over` is each session's last."""

    def __init__(
        self,
        ids: Ids,
        local: Address,
        *,
        user_agent: str = "",
        timers: Timers | None = None,
        advertise: str | None = None,
        credentials: Sequence[Credentials] = (),
        refuse_incoming: int | None = None,
        limit: int = 20_000,
    ) -> None:
        """`advertise`: the host (or host:port) that Via and Contact name in place of the local address. `refuse_incoming`: a status for
        every INVITE to us, which then makes no session. `limit`: sessions at once; an INVITE beyond it gets 503."""
        if advertise is None and local.host in ("0.0.0.0", "::"):
            raise LocalProtocolError(f"{local} is no address that a peer could answer to: give `advertise`")
        self.ids = ids
        self.local = local
        self.timers = timers or Timers()
        self.credentials = tuple(credentials)
        own_text(user_agent, "user_agent")
        self.agent: Headers = (("User-Agent", user_agent),) if user_agent else ()
        self.server: Headers = (("Server", user_agent),) if user_agent else ()
        host = advertise or bracketed(local.host)
        if ":" not in host.rpartition("]")[2]:
            host = f"{host}:{local.port}"
        transport = "" if local.transport == "udp" else f";transport={local.transport}"
        self.contact = f"<sip:{host}{transport}>"
        self.sent_by = host
        self._via = f"SIP/2.0/{local.transport.upper()} {host};branch={MAGIC}"
        self._outputs: deque[Any] = deque()
        self._heap: TimerHeap[tuple[Any, Any]] = TimerHeap()
        self._sessions: dict[str, Session] = {}
        self._by_tag: dict[str, Session] = {}
        self._clients: dict[tuple[str, ...], Transaction] = {}
        self._server = Server(self, limit=limit, refuse_incoming=refuse_incoming)
        self._by_destination: dict[Address, set[Transaction]] = {}
        self._resolving: dict[int, Callable[[Resolved, float], None]] = {}
        self._inputs: dict[type, Callable[[Any, float], None]] = {
            Datagram: self._datagram,
            TransportFailed: self._transport_failed,
            Resolved: self._resolved,
            Dial: self._dial,
            Go: self._go,
            Acknowledge: self._acknowledge,
            Cancel: self._hang_up,
            Bye: self._hang_up,
            Ring: self._ring,
            Accept: self._accept,
            Reject: self._reject,
            SendInfo: self._send_info,
            AdoptInvite: self._adopt_invite,
            AdoptDialog: self._adopt_dialog,
        }

    # --- the four methods ---

    def receive(self, item: Any, now: float) -> None:
        """Take one command or one thing from the network. Raises `LocalProtocolError` on a command that would break a message."""
        self._inputs[type(item)](item, now)

    def handle_timer(self, now: float) -> None:
        for owner, what in self._heap.due(now):
            if type(owner) is Transaction:
                owner.take(what, now)
            else:
                owner.on_timer(what, now)

    def next_output(self) -> Any | None:
        return self._outputs.popleft() if self._outputs else None

    def next_deadline(self) -> Deadline | None:
        return self._heap.next_deadline()

    @property
    def sessions(self) -> int:
        """How many sessions have had no `Over`."""
        return len(self._sessions)

    @property
    def transactions(self) -> int:
        """How many transactions are remembered, those that only absorb repeats included."""
        return len(self._clients) + self._server.transactions

    # --- commands ---

    def _dial(self, item: Dial, now: float) -> None:
        self._new_name(item.session)
        self.add(Caller.begin(self, item))

    def _new_name(self, session: str) -> None:
        if session in self._sessions:
            raise LocalProtocolError(f"there is a session {session} already")

    def add(self, session: Session) -> None:
        if not session.over:
            self._sessions[session.session] = session
            self._by_tag[session.local_tag] = session

    def _go(self, item: Go, now: float) -> None:
        session = self._sessions.get(item.session)
        if isinstance(session, Caller):
            session.go(now)

    def _acknowledge(self, item: Acknowledge, now: float) -> None:
        session = self._sessions.get(item.session)
        if isinstance(session, Caller):
            session.acknowledge_fork(item.fork, item.body, now)

    def _hang_up(self, item: Cancel | Bye, now: float) -> None:
        session = self._sessions.get(item.session)
        if isinstance(session, Caller | Callee):
            session.hang_up(item.reason, now)

    def _ring(self, item: Ring, now: float) -> None:
        session = self._sessions.get(item.session)
        if isinstance(session, Callee):
            session.ring(item.status, item.body, now)

    def _accept(self, item: Accept, now: float) -> None:
        session = self._sessions.get(item.session)
        if session is None:
            return
        if session.renegotiation.open:
            session.renegotiation.accept(item.body, now)
        elif isinstance(session, Callee):
            session.accept(item.body, now)

    def _reject(self, item: Reject, now: float) -> None:
        own_text(item.reason, "reason")
        # The Contact of a redirection is its owner's to name, RFC 3261 §21.3.
        headers = own_headers(item.headers, RESERVED - {"contact", "m"} if 300 <= item.status < 400 else RESERVED)
        session = self._sessions.get(item.session)
        if session is None:
            return
        if session.renegotiation.open:
            session.renegotiation.reject(item.status, item.reason, headers, now)
        elif isinstance(session, Callee):
            session.reject(item.status, item.reason, headers, now)

    def _send_info(self, item: SendInfo, now: float) -> None:
        kind = ("Content-Type", own_text(item.content_type, "content_type"))
        session = self._sessions.get(item.session)
        if session is not None and (dialog := session.talking()) is not None:
            session.send_in_dialog(dialog, "INFO", (kind,), item.body, now)

    def _adopt_invite(self, item: AdoptInvite, now: float) -> None:
        self._new_name(item.session)
        try:
            self.add(Caller.adopt_invite(self, item, _stored(item.invite), now))
        except RemoteProtocolError as error:
            self.emit(Over(session=item.session, who="network", status=400, phrase=f"the stored INVITE cannot be read: {error.detail}"))

    def _adopt_dialog(self, item: AdoptDialog, now: float) -> None:
        self._new_name(item.session)
        try:
            self.add(Caller.adopt_dialog(self, item, _stored(item.invite), now))
        except RemoteProtocolError as error:
            self.emit(Over(session=item.session, who="network", status=400, phrase=f"the stored dialog cannot be read: {error.detail}"))

    # --- from the network ---

    def _resolved(self, item: Resolved, now: float) -> None:
        then = self._resolving.pop(item.token, None)
        if then is None:
            return
        ours = tuple(target for target in item.targets if target.transport == self.local.transport)
        if ours != item.targets:
            detail = item.detail or f"no target is reached by {self.local.transport}"
            item = Resolved(token=item.token, targets=ours, detail=detail)
        then(item, now)

    def _transport_failed(self, item: TransportFailed, now: float) -> None:
        for tx in self._by_destination.pop(item.destination, ()):
            tx.fail(item.detail, now)

    def _datagram(self, item: Datagram, now: float) -> None:
        data, source = item.data, item.source
        if len(data) <= 4 and not data.strip(b"\r\n\0"):
            return  # a keep-alive, RFC 5626 §3.5.1
        try:
            message = parse(data)
            if isinstance(message, Response):
                self._response(message, item, now)
            else:
                self._server.request(message, item, now)
        except RemoteProtocolError as error:
            self.emit(Malformed(source=source, detail=error.detail))

    def trace_in(self, session: str, item: Datagram) -> None:
        self._outputs.append(Trace(session=session, way="received", data=item.data, source=item.source, destination=item.local))

    def _response(self, response: Response, item: Datagram, now: float) -> None:
        if response.fault:
            raise RemoteProtocolError(f"{response.status}: {response.fault}")
        key = usual_key(response)
        tx = self._clients.get(key) if key is not None else None
        if tx is None:
            read = essentials(response)
            if read.vias > 1:
                raise RemoteProtocolError(f"{response.status}: {read.vias} Via values, it was meant for somebody else")
            tx = self._clients.get((read.via.branch, read.method))
        self.trace_in("" if tx is None else tx.session, item)
        if tx is not None:
            tx.receive(response, item.source, now)

    # --- what transactions and sessions use ---

    def emit(self, output: object) -> None:
        self._outputs.append(output)

    def send(self, data: bytes, destination: Address, session: str) -> None:
        local = self.local
        self._outputs.append(Transmit(data=data, destination=destination, source=local))
        self._outputs.append(Trace(session=session, way="sent", data=data, source=local, destination=destination))

    def arm(self, transaction: Transaction, timer: Input, at: float) -> None:
        self._heap.set((transaction, timer), at, _WHY[timer])

    def disarm(self, transaction: Transaction, *timers: Input) -> None:
        for timer in timers:
            self._heap.cancel((transaction, timer))

    def arm_session(self, session: Session, timer: str, at: float) -> None:
        self._heap.set((session, timer), at, timer)

    def disarm_session(self, session: Session, timer: str) -> None:
        self._heap.cancel((session, timer))

    def forget(self, transaction: Transaction) -> None:
        if self._clients.pop(transaction.key, None) is None:
            self._server.forget(transaction)
        else:
            self.answered(transaction)

    def answered(self, transaction: Transaction) -> None:
        """An ICMP error for its destination does not concern it any more."""
        waiting = self._by_destination.get(transaction.destination)
        if waiting is not None:
            waiting.discard(transaction)
            if not waiting:
                del self._by_destination[transaction.destination]

    def new_via(self) -> str:
        return f"{self._via}{self.ids.hex(24)};rport"

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
    ) -> Transaction:
        branch = request.get("via").partition(";branch=")[2].partition(";")[0]
        tx = Transaction(self, table, state, (branch, request.method), user, request, destination)
        tx.data = data or request.encode()
        self._clients[tx.key] = tx
        if state is State.ACCEPTED:
            self.arm(tx, Input.TIMER_M, now + self.timers.patience)
        else:
            self._by_destination.setdefault(destination, set()).add(tx)
            start_client(tx, now, repeating=repeating)
        return tx

    def answer(
        self,
        tx: Transaction,
        status: int,
        now: float,
        *,
        phrase: str = "",
        tag: str = "",
        headers: Headers = (),
        body: bytes = b"",
    ) -> None:
        if status == 100 and (stamp := tx.request.get("timestamp")):
            headers += (("Timestamp", stamp),)  # RFC 3261 §8.2.6.1
        routed = tx.table is INVITE_SERVER and 100 < status < 300
        data = respond(tx.request, tx.vias, status, phrase=phrase, tag=tag, headers=headers, body=body, record_routes=routed)
        tx.respond(status, data, now)

    def resolve(self, uri: str, then: Callable[[Resolved, float], None]) -> None:
        token = self.ids.number()
        self._resolving[token] = then
        self.emit(Resolve(token=token, uri=uri))

    def locate(self, dialog: Dialog, then: Callable[[float], None], now: float) -> None:
        """Call `then` once the dialog's next hop is known: at once where its host is numeric."""
        if dialog.destination is None:
            hop = dialog.next_hop() if dialog.target else ""
            found = address_of(hop) if hop else dialog.fallback
            if found is None:
                if dialog.waiting is not None:
                    dialog.waiting.append(then)
                    return
                dialog.waiting = [then]
                self.resolve(hop, lambda resolved, at: _arrived(dialog, resolved, at))
                return
            dialog.destination = found if found.transport == self.local.transport else dialog.fallback
        then(now)

    def session_of(self, tag: str) -> Session | None:
        """The session that gave this tag, or None."""
        return self._by_tag.get(tag) if tag else None

    def ended(self, session: Session) -> None:
        self._sessions.pop(session.session, None)
        self._by_tag.pop(session.local_tag, None)


def _arrived(dialog: Dialog, resolved: Resolved, now: float) -> None:
    """The next hop's name is resolved, or is not: then the message goes back whence the peer's came."""
    dialog.destination = resolved.targets[0] if resolved.targets else dialog.fallback
    waiting, dialog.waiting = dialog.waiting or [], None
    for then in waiting:
        then(now)


def _stored(data: bytes) -> Request:
    message = parse(data)
    if not isinstance(message, Request) or message.method != "INVITE":
        raise RemoteProtocolError("it is no INVITE")
    essentials(message)
    return message
