"""The endpoint: the one SIP core that others see. Datagrams and commands in, datagrams and events out.

Theory of operation. A response finds its client transaction by branch and method. A request finds its server transaction by branch,
sent-by and method (a repeat), else its session by our tag on To, else it is new. What is refused outside a dialog is refused without
state (RFC 3261 §8.2.7): the same request gets the same answer, and a storm costs no memory. All timers stand in one heap; nothing is
ever searched. Nothing that arrives raises: what cannot be used becomes `Malformed`. `LocalProtocolError` is raised for misuse by the owner.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ..core import Deadline, Table
from ..core import Timers as TimerHeap
from .admission import check_body, check_extensions, check_method
from .callee import Callee
from .caller import RESERVED, Caller
from .dialog import Dialog
from .digest import Credentials
from .errors import LocalProtocolError, RemoteProtocolError
from .grammar import shown, split_outside
from .headers import parse_name_addr
from .message import Request, Response
from .parse import Essentials, check_request, essentials, parse
from .respond import CAPABILITIES, respond
from .route_set import address_of
from .session import Ids, Session, own_headers, own_text
from .timers import Timers
from .transaction import (
    INVITE_SERVER,
    NON_INVITE_SERVER,
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
    Incoming,
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
from .via import MAGIC, Via, parse_via

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
        self._via = f"SIP/2.0/{local.transport.upper()} {host};branch={MAGIC}"
        self._refuse_incoming = refuse_incoming
        self._limit = limit
        self._tag = ids.hex(8)
        """Begins the tags of answers that are given without state."""
        self._outputs: deque[Any] = deque()
        self._heap: TimerHeap[tuple[Any, Any]] = TimerHeap()
        self._sessions: dict[str, Session] = {}
        self._by_tag: dict[str, Session] = {}
        self._clients: dict[tuple[str, ...], Transaction] = {}
        self._servers: dict[tuple[str, ...], Transaction] = {}
        self._merged: dict[tuple[str, str, int], tuple[str, ...]] = {}
        """New INVITEs by Call-ID, From tag and CSeq: the same by another way is a merged request, RFC 3261 §8.2.2.2."""
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
        return len(self._clients) + len(self._servers)

    # --- commands ---

    def _dial(self, item: Dial, now: float) -> None:
        self._new_name(item.session)
        self._add(Caller.begin(self, item))

    def _new_name(self, session: str) -> None:
        if session in self._sessions:
            raise LocalProtocolError(f"there is a session {session} already")

    def _add(self, session: Session) -> None:
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
        headers = own_headers(item.headers, RESERVED)
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
            self._add(Caller.adopt_invite(self, item, _stored(item.invite), now))
        except RemoteProtocolError as error:
            self.emit(Over(session=item.session, who="network", status=400, phrase=f"the stored INVITE cannot be read: {error.detail}"))

    def _adopt_dialog(self, item: AdoptDialog, now: float) -> None:
        self._new_name(item.session)
        try:
            self._add(Caller.adopt_dialog(self, item, _stored(item.invite), now))
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
                self._request(message, item, now)
        except RemoteProtocolError as error:
            self.emit(Malformed(source=source, detail=error.detail))

    def _trace_in(self, session: str, item: Datagram) -> None:
        self._outputs.append(Trace(session=session, way="received", data=item.data, source=item.source, destination=item.local))

    def _response(self, response: Response, item: Datagram, now: float) -> None:
        if response.fault:
            raise RemoteProtocolError(f"{response.status} from {item.source}: {response.fault}")
        read = essentials(response)
        if read.vias > 1:
            raise RemoteProtocolError(f"{response.status} from {item.source}: {read.vias} Via values, it was meant for somebody else")
        tx = self._clients.get((read.via.branch, read.method))
        self._trace_in("" if tx is None else tx.session, item)
        if tx is not None:
            tx.receive(response, item.source, now)

    def _request(self, request: Request, item: Datagram, now: float) -> None:
        source = item.source
        try:
            via, vias = _stamped(request, source)
        except RemoteProtocolError as error:
            # Whence it came is the only place for an answer; a request without any Via gets none.
            if request.method != "ACK" and (lines := tuple(request.lines("via"))):
                self._refuse(request, lines, source, 400, item, detail=error.detail)
            raise
        answer_to = via.answer_to(source)
        session: Session | None = None
        try:
            read = essentials(request, via)
            key = server_key(request, read)
            tx = self._servers.get(key)
            session = self._by_tag.get(read.to_tag) if read.to_tag else None
            if tx is not None:
                self._trace_in(tx.session, item)
                if request.method != "ACK":
                    tx.take(Input.REQUEST, now)
                elif tx.state is not State.ACCEPTED:
                    tx.take(Input.ACK, now)
                else:
                    self._ack(session, read, request, now)
                return
            if request.method == "ACK":
                self._trace_in(session.session if session is not None else "", item)
                self._ack(session, read, request, now)
                return
            if request.method == "CANCEL":
                self._cancel(request, read, vias, answer_to, item, now)
                return
            if session is not None or read.to_tag:
                self._inside(session, request, read, key, vias, answer_to, item, now)
                return
            self._outside(request, read, key, vias, answer_to, item, now)
        except RemoteProtocolError as error:
            if request.method == "ACK":
                raise
            self._refuse(request, vias, answer_to, error.status, item, headers=error.headers, detail=error.detail)
            self.emit(Malformed(source=source, detail=f"{shown(request.method)} from {source}: {error.detail}. Answered {error.status}"))

    def _ack(self, session: Session | None, read: Essentials, request: Request, now: float) -> None:
        if session is None or session.dialog_of(read.from_tag, read.call_id) is None:
            return  # of a refusal that was sent without state, or of something long over
        if isinstance(session, Callee):
            session.on_ack(read.cseq, request.body, now)
        else:
            session.renegotiation.ack(read.cseq, request.body, now)

    def _cancel(self, request: Request, read: Essentials, vias: tuple[str, ...], answer_to: Address, item: Datagram, now: float) -> None:
        invite = self._servers.get((read.via.branch, read.via.sent_by, "INVITE"))
        user = invite.user if invite is not None else None
        if invite is None or not isinstance(user, Session):
            self._refuse(request, vias, answer_to, 481, item)
            return
        self._trace_in(user.session, item)
        self.send(respond(request, vias, 200, tag=user.local_tag), answer_to, user.session)
        if isinstance(user, Callee) and invite is user.tx:
            user.on_cancel(request.get("reason"), now)
        else:
            user.renegotiation.cancelled(invite, now)

    def _inside(
        self,
        session: Session | None,
        request: Request,
        read: Essentials,
        key: tuple[str, ...],
        vias: tuple[str, ...],
        answer_to: Address,
        item: Datagram,
        now: float,
    ) -> None:
        """A request with a To tag."""
        dialog = session.dialog_of(read.from_tag, read.call_id) if session is not None else None
        if request.fault:
            raise RemoteProtocolError(request.fault)
        if read.method != request.method:
            raise RemoteProtocolError(f"CSeq names {shown(read.method)} in a request of method {shown(request.method)}")
        check_method(request)
        if session is None or dialog is None:
            self._refuse(request, vias, answer_to, 481, item)
            return
        check_extensions(request)
        if request.method in ("INVITE", "UPDATE"):
            check_body(request)
        self._trace_in(session.session, item)
        tx = self._server(key, request, vias, answer_to, session)
        if not dialog.in_order(read.cseq):
            self.answer(tx, 500, now, headers=(("Retry-After", "1"),))
            return
        session.on_request(tx, dialog, now)

    def _outside(
        self,
        request: Request,
        read: Essentials,
        key: tuple[str, ...],
        vias: tuple[str, ...],
        answer_to: Address,
        item: Datagram,
        now: float,
    ) -> None:
        """A request outside any dialog."""
        check_request(request, read)
        check_method(request)
        if request.method == "OPTIONS":
            check_extensions(request)
            self._refuse(request, vias, answer_to, 200, item, headers=(*CAPABILITIES, *self.server))
            return
        if request.method != "INVITE":
            self._refuse(request, vias, answer_to, 481, item)
            return
        merge = (read.call_id, read.from_tag, read.cseq)
        if merge in self._merged:
            raise RemoteProtocolError("the same INVITE came by another way", status=482)
        check_extensions(request)
        check_body(request)
        if len(self._sessions) >= self._limit:
            raise RemoteProtocolError(f"{self._limit} sessions are up", status=503, headers=(("Retry-After", "2"),))
        if self._refuse_incoming is not None:
            self._refuse(request, vias, answer_to, self._refuse_incoming, item)
            return
        self._incoming(request, key, merge, vias, answer_to, item, now)

    def _incoming(
        self,
        request: Request,
        key: tuple[str, ...],
        merge: tuple[str, str, int],
        vias: tuple[str, ...],
        answer_to: Address,
        item: Datagram,
        now: float,
    ) -> None:
        sender, to = parse_name_addr(request.get("from"), "From"), parse_name_addr(request.get("to"), "To")
        name = self.ids.uuid()
        tx = Transaction(self, INVITE_SERVER, State.PROCEEDING, key, None, request, answer_to)
        tx.vias = vias
        call = Callee(self, name, self.ids.hex(16), tx, item.source)
        tx.user = call
        tx.merge = merge
        self._servers[key] = tx
        self._merged[merge] = key
        self._add(call)
        self._trace_in(name, item)
        self.answer(tx, 100, now)
        self.emit(
            Incoming(
                session=name,
                uri=request.uri,
                from_uri=sender.uri,
                from_name=sender.display,
                to_uri=to.uri,
                headers=request.headers,
                body=request.body,
                source=item.source,
            )
        )

    def _refuse(
        self,
        request: Request,
        vias: tuple[str, ...],
        answer_to: Address,
        status: int,
        item: Datagram,
        *,
        headers: Headers = (),
        detail: str = "",
    ) -> None:
        """Answer without keeping state (RFC 3261 §8.2.7): the tag follows from the request, so that a repeat gets the same one."""
        self._trace_in("", item)
        tag = f"{self._tag}{zlib.crc32((vias[0] + request.get('call-id')).encode('utf-8', 'surrogateescape')):08x}"
        if detail and status == 400:
            headers = (*headers, ("Warning", f'399 {self._via.split()[1].partition(";")[0]} "{_quotable(detail)}"'))
        self.send(respond(request, vias, status, tag=tag, headers=headers), answer_to, "")

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
            self._servers.pop(transaction.key, None)
            if transaction.merge is not None:
                self._merged.pop(transaction.merge, None)
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

    def _server(self, key: tuple[str, ...], request: Request, vias: tuple[str, ...], answer_to: Address, session: Session) -> Transaction:
        invite = request.method == "INVITE"
        table, state = (INVITE_SERVER, State.PROCEEDING) if invite else (NON_INVITE_SERVER, State.TRYING)
        tx = Transaction(self, table, state, key, session, request, answer_to)
        tx.vias = vias
        self._servers[key] = tx
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


def _stamped(request: Request, source: Address) -> tuple[Via, tuple[str, ...]]:
    """The topmost Via as the sender wrote it, and all Via values with `received` and `rport` put in. Raises `RemoteProtocolError`."""
    lines = request.lines("via")
    if not lines:
        raise RemoteProtocolError(f"{shown(request.method)} from {source}: Via is missing")
    first, *others = split_outside(lines[0], ",") if "," in lines[0] else [lines[0]]
    try:
        via = parse_via(first)
    except RemoteProtocolError as error:
        raise RemoteProtocolError(f"{shown(request.method)} from {source}: {error.detail}") from None
    stamped = via.stamped(source)
    return via, (first if stamped is via else str(stamped), *others, *lines[1:])


def server_key(request: Request, read: Essentials) -> tuple[str, ...]:
    """What makes two requests the same transaction (RFC 3261 §17.2.3); an ACK belongs to its INVITE."""
    method = "INVITE" if request.method == "ACK" else request.method
    via = read.via
    if via.branch.startswith(MAGIC) and len(via.branch) > len(MAGIC):
        return (via.branch, via.sent_by, method)
    # A peer of RFC 2543 has no unique branch.
    return (request.uri, read.from_tag, read.call_id, str(read.cseq), str(via), method)


def _quotable(text: str) -> str:
    return text.encode("ascii", "replace").decode().replace("\\", "/").replace('"', "'").replace("\r", " ").replace("\n", " ")
