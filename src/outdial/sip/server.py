"""Requests that arrive: repeats, those inside a session, new ones, and refusals without state (RFC 3261 §8.2).

Theory of operation. A request finds its server transaction by branch, sent-by and method (a repeat), else its session by our tag on To,
else it is new. What is refused outside a dialog is refused without state (§8.2.7): the same request gets the same answer, and a storm
costs no memory.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Protocol

from ..core import Table
from .admission import check_body, check_extensions, check_method
from .bodies import sdp_of
from .callee import Callee, dialog_of_invite
from .errors import RemoteProtocolError
from .grammar import shown, split_outside
from .headers import parse_name_addr
from .message import Request
from .parse import Essentials, check_request, check_syntax, essentials
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
        """A request came. Raises `RemoteProtocolError` where it was refused without an answer."""
        try:
            arrival = arrived(request, item)
        except RemoteProtocolError as error:
            # Whence it came is the only place for an answer; a request without any Via gets none.
            if request.method != "ACK" and (lines := tuple(request.lines("via"))):
                via = Via(transport="UDP", host=item.source.host)
                self._refuse(Arrival(request=request, item=item, via=via, vias=lines, answer_to=item.source), 400, detail=error.detail)
            raise
        try:
            self._find(arrival, essentials(request, arrival.via), now)
        except RemoteProtocolError as error:
            if request.method == "ACK":
                raise
            self._refuse(arrival, error.status, headers=error.headers, detail=error.detail)
            said = f"{shown(request.method)}: {error.detail}. Answered {error.status}"
            self.host.emit(Malformed(source=item.source, detail=said))

    def _find(self, arrival: Arrival, read: Essentials, now: float) -> None:
        """The transaction, else the session, that it belongs to; else it is new."""
        request = arrival.request
        method = request.method
        key = server_key(request, read, "INVITE" if method == "ACK" else method)
        tx = self._servers.get(key)
        session = self.host.session_of(read.to_tag)
        if tx is not None and (method != "ACK" or tx.state is not State.ACCEPTED):
            self.host.trace_in(tx.session, arrival.item)
            tx.take(Input.ACK if method == "ACK" else Input.REQUEST, now)
        elif method == "ACK":
            self.host.trace_in(session.session if session is not None else "", arrival.item)
            self._ack(session, read, request, now)
        elif method == "CANCEL":
            self._cancel(arrival, read, now)
        elif read.to_tag:
            self._inside(session, arrival, read, key, now)
        else:
            self._outside(arrival, read, key, now)

    def _ack(self, session: Session | None, read: Essentials, request: Request, now: float) -> None:
        if session is None or session.dialog_of(read.from_tag, read.call_id) is None:
            return  # of a refusal that was sent without state, or of something long over
        body = sdp_of(request) or b""
        if isinstance(session, Callee):
            session.on_ack(read.cseq, body, now)
        else:
            session.renegotiation.ack(read.cseq, body, now)

    def _cancel(self, arrival: Arrival, read: Essentials, now: float) -> None:
        request = arrival.request
        invite = self._servers.get(server_key(request, read, "INVITE"))
        user = invite.user if invite is not None else None
        if invite is None or not isinstance(user, Session):
            self._refuse(arrival, 481)
            return
        self.host.trace_in(user.session, arrival.item)
        self.host.send(respond(request, arrival.vias, 200, tag=user.local_tag), arrival.answer_to, user.session)
        if isinstance(user, Callee) and invite is user.tx:
            user.on_cancel(request.get("reason"), now)
        else:
            user.renegotiation.cancelled(invite, now)

    def _inside(self, session: Session | None, arrival: Arrival, read: Essentials, key: tuple[str, ...], now: float) -> None:
        """A request with a To tag."""
        request = arrival.request
        dialog = session.dialog_of(read.from_tag, read.call_id) if session is not None else None
        check_syntax(request, read)
        check_method(request)
        if session is None or dialog is None:
            self._refuse(arrival, 481)
            return
        check_extensions(request)
        if request.method in ("INVITE", "UPDATE"):
            check_body(request)
        self.host.trace_in(session.session, arrival.item)
        invite = request.method == "INVITE"
        tx = self._remember(INVITE_SERVER if invite else NON_INVITE_SERVER, State.PROCEEDING if invite else State.TRYING, key, arrival)
        tx.user = session
        if not dialog.in_order(read.cseq):
            self.host.answer(tx, 500, now, headers=(("Retry-After", "1"),))
            return
        session.on_request(tx, dialog, now)

    def _outside(self, arrival: Arrival, read: Essentials, key: tuple[str, ...], now: float) -> None:
        """A request outside any dialog."""
        request = arrival.request
        check_request(request, read)
        check_method(request)
        if request.method == "OPTIONS":
            check_extensions(request)
            self._refuse(arrival, 200, headers=(*CAPABILITIES, *self.host.server))
            return
        if request.method != "INVITE":
            self._refuse(arrival, 481)
            return
        merge = (read.call_id, read.from_tag, read.cseq)
        if merge in self._merged:
            raise RemoteProtocolError("the same INVITE came by another way", status=482)
        check_extensions(request)
        check_body(request)
        if self.host.sessions >= self._limit:
            raise RemoteProtocolError(f"{self._limit} sessions are up", status=503, headers=(("Retry-After", "2"),))
        if self._refuse_incoming is not None:
            self._refuse(arrival, self._refuse_incoming)
            return
        self._incoming(arrival, key, merge, now)

    def _incoming(self, arrival: Arrival, key: tuple[str, ...], merge: tuple[str, str, int], now: float) -> None:
        request = arrival.request
        sender, to = parse_name_addr(request.get("from"), "From"), parse_name_addr(request.get("to"), "To")
        name, tag = self.host.ids.uuid(), self.host.ids.hex(16)
        dialog = dialog_of_invite(request, tag, arrival.item.source)
        tx = self._remember(INVITE_SERVER, State.PROCEEDING, key, arrival)
        tx.merge = merge
        self._merged[merge] = key
        tx.user = call = Callee(self.host, name, dialog, tx)
        self.host.add(call)
        self.host.trace_in(name, arrival.item)
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
                source=arrival.item.source,
            )
        )

    def _remember(self, table: Table, state: State, key: tuple[str, ...], arrival: Arrival) -> Transaction:
        tx = Transaction(self.host, table, state, key, None, arrival.request, arrival.answer_to)
        tx.vias = arrival.vias
        self._servers[key] = tx
        return tx

    def _refuse(self, arrival: Arrival, status: int, *, headers: Headers = (), detail: str = "") -> None:
        """Answer without keeping state (RFC 3261 §8.2.7): the tag follows from the request, so that a repeat gets the same one."""
        request = arrival.request
        self.host.trace_in("", arrival.item)
        tag = f"{self._tag}{zlib.crc32((arrival.vias[0] + request.get('call-id')).encode('utf-8', 'surrogateescape')):08x}"
        if detail and status == 400:
            headers = (*headers, ("Warning", f'399 {self.host.sent_by} "{_quotable(detail)}"'))
        self.host.send(respond(request, arrival.vias, status, tag=tag, headers=headers), arrival.answer_to, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request with what its answer needs."""

    request: Request
    item: Datagram
    via: Via
    """The topmost, as the sender wrote it."""
    vias: tuple[str, ...]
    """All, with `received` and `rport` put in."""
    answer_to: Address


def arrived(request: Request, item: Datagram) -> Arrival:
    """Read the topmost Via. Raises `RemoteProtocolError`."""
    source = item.source
    lines = request.lines("via")
    if not lines:
        raise RemoteProtocolError(f"{shown(request.method)}: Via is missing")
    first, *others = split_outside(lines[0], ",") if "," in lines[0] else [lines[0]]
    try:
        via = parse_via(first)
    except RemoteProtocolError as error:
        raise RemoteProtocolError(f"{shown(request.method)}: {error.detail}") from None
    stamped = via.stamped(source)
    vias = (first if stamped is via else str(stamped), *others, *lines[1:])
    return Arrival(request=request, item=item, via=via, vias=vias, answer_to=via.answer_to(source))


def server_key(request: Request, read: Essentials, method: str) -> tuple[str, ...]:
    """What makes two requests the same transaction (RFC 3261 §17.2.3); `method` is INVITE for an ACK, and to find what a CANCEL is for."""
    via = read.via
    if via.branch.startswith(MAGIC) and len(via.branch) > len(MAGIC):
        return (via.branch, via.sent_by, method)
    # A peer of RFC 2543 has no unique branch.
    return (request.uri, read.from_tag, read.call_id, str(read.cseq), str(via), method)


def _quotable(text: str) -> str:
    return text.encode("ascii", "replace").decode().replace("\\", "/").replace('"', "'").replace("\r", " ").replace("\n", " ")
