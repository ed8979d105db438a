"""Requests that arrive: repeats, those inside a session, new ones, and refusals without state (RFC 3261 §8.2).

Theory of operation. A request finds its server transaction by branch, sent-by and method (a repeat), else its session by our tag on To,
else it is new. What is refused outside a dialog is refused without state (§8.2.7): the same request gets the same answer, and a storm
costs no memory.
"""

from __future__ import annotations

import zlib
from typing import Protocol

from .admission import check_body, check_extensions, check_method
from .bodies import sdp_of
from .callee import Callee
from .errors import RemoteProtocolError
from .grammar import shown, split_outside
from .headers import parse_name_addr
from .message import Request
from .parse import Essentials, check_request, essentials
from .respond import CAPABILITIES, respond
from .session import Session, Stack
from .transaction import INVITE_SERVER, NON_INVITE_SERVER, Input, State, Transaction
from .values import Address, Datagram, Headers, Incoming, Malformed
from .via import MAGIC, Via, parse_via


class ServerHost(Stack, Protocol):
    """What the endpoint gives to its server half."""

    sent_by: str

    @property
    def sessions(self) -> int: ...
    def session_of(self, tag: str) -> Session | None: ...
    def add(self, session: Session) -> None: ...
    def trace_in(self, session: str, item: Datagram) -> None: ...


class Server:
    """The half of an endpoint that answers requests."""

    def __init__(self, host: ServerHost, *, limit: int, refuse_incoming: int | None) -> None:
        self.host = host
        self._refuse_incoming = refuse_incoming
        self._limit = limit
        self._tag = host.ids.hex(8)
        """Begins the tags of answers that are given without state."""
        self._servers: dict[tuple[str, ...], Transaction] = {}
        self._merged: dict[tuple[str, str, int], tuple[str, ...]] = {}
        """New INVITEs by Call-ID, From tag and CSeq: the same by another way is a merged request, RFC 3261 §8.2.2.2."""

    @property
    def transactions(self) -> int:
        return len(self._servers)

    def forget(self, transaction: Transaction) -> None:
        self._servers.pop(transaction.key, None)
        if transaction.merge is not None:
            self._merged.pop(transaction.merge, None)

    def request(self, request: Request, item: Datagram, now: float) -> None:
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
            key = server_key(request, read, "INVITE" if request.method == "ACK" else request.method)
            tx = self._servers.get(key)
            session = self.host.session_of(read.to_tag)
            if tx is not None:
                self.host.trace_in(tx.session, item)
                if request.method != "ACK":
                    tx.take(Input.REQUEST, now)
                elif tx.state is not State.ACCEPTED:
                    tx.take(Input.ACK, now)
                else:
                    self._ack(session, read, request, now)
                return
            if request.method == "ACK":
                self.host.trace_in(session.session if session is not None else "", item)
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
            self.host.emit(
                Malformed(source=source, detail=f"{shown(request.method)} from {source}: {error.detail}. Answered {error.status}")
            )

    def _ack(self, session: Session | None, read: Essentials, request: Request, now: float) -> None:
        if session is None or session.dialog_of(read.from_tag, read.call_id) is None:
            return  # of a refusal that was sent without state, or of something long over
        if isinstance(session, Callee):
            session.on_ack(read.cseq, sdp_of(request) or b"", now)
        else:
            session.renegotiation.ack(read.cseq, sdp_of(request) or b"", now)

    def _cancel(self, request: Request, read: Essentials, vias: tuple[str, ...], answer_to: Address, item: Datagram, now: float) -> None:
        invite = self._servers.get(server_key(request, read, "INVITE"))
        user = invite.user if invite is not None else None
        if invite is None or not isinstance(user, Session):
            self._refuse(request, vias, answer_to, 481, item)
            return
        self.host.trace_in(user.session, item)
        self.host.send(respond(request, vias, 200, tag=user.local_tag), answer_to, user.session)
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
        self.host.trace_in(session.session, item)
        tx = self._server(key, request, vias, answer_to, session)
        if not dialog.in_order(read.cseq):
            self.host.answer(tx, 500, now, headers=(("Retry-After", "1"),))
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
            self._refuse(request, vias, answer_to, 200, item, headers=(*CAPABILITIES, *self.host.server))
            return
        if request.method != "INVITE":
            self._refuse(request, vias, answer_to, 481, item)
            return
        merge = (read.call_id, read.from_tag, read.cseq)
        if merge in self._merged:
            raise RemoteProtocolError("the same INVITE came by another way", status=482)
        check_extensions(request)
        check_body(request)
        if self.host.sessions >= self._limit:
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
        name = self.host.ids.uuid()
        tx = Transaction(self.host, INVITE_SERVER, State.PROCEEDING, key, None, request, answer_to)
        tx.vias = vias
        call = Callee(self.host, name, self.host.ids.hex(16), tx, item.source)
        tx.user = call
        tx.merge = merge
        self._servers[key] = tx
        self._merged[merge] = key
        self.host.add(call)
        self.host.trace_in(name, item)
        self.host.answer(tx, 100, now)
        self.host.emit(
            Incoming(
                session=name,
                uri=request.uri,
                from_uri=sender.uri,
                from_name=sender.display,
                to_uri=to.uri,
                headers=request.headers,
                body=sdp_of(request) or b"",
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
        self.host.trace_in("", item)
        tag = f"{self._tag}{zlib.crc32((vias[0] + request.get('call-id')).encode('utf-8', 'surrogateescape')):08x}"
        if detail and status == 400:
            headers = (*headers, ("Warning", f'399 {self.host.sent_by} "{_quotable(detail)}"'))
        self.host.send(respond(request, vias, status, tag=tag, headers=headers), answer_to, "")

    def _server(self, key: tuple[str, ...], request: Request, vias: tuple[str, ...], answer_to: Address, session: Session) -> Transaction:
        invite = request.method == "INVITE"
        table, state = (INVITE_SERVER, State.PROCEEDING) if invite else (NON_INVITE_SERVER, State.TRYING)
        tx = Transaction(self.host, table, state, key, session, request, answer_to)
        tx.vias = vias
        self._servers[key] = tx
        return tx


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


def server_key(request: Request, read: Essentials, method: str) -> tuple[str, ...]:
    """What makes two requests the same transaction (RFC 3261 §17.2.3); `method` is INVITE for an ACK, and to find what a CANCEL is for."""
    via = read.via
    if via.branch.startswith(MAGIC) and len(via.branch) > len(MAGIC):
        return (via.branch, via.sent_by, method)
    # A peer of RFC 2543 has no unique branch.
    return (request.uri, read.from_tag, read.call_id, str(read.cseq), str(via), method)


def _quotable(text: str) -> str:
    return text.encode("ascii", "replace").decode().replace("\\", "/").replace('"', "'").replace("\r", " ").replace("\n", " ")
