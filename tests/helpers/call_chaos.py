"""Neighbours who answer in any order, well or badly, late or not at all until the end; each still keeps to its own contract.

`Chaos` steps a `Control` by choices (integers) that hypothesis draws; `settle` then lets everybody do their duty until nothing is left.
"""

from __future__ import annotations

from typing import Any

from helpers.call_world import ASK, HANGUP, LISTEN, PAUSE, PLAY, RECORD, SPEAK, TRUNK, US, World, answer_sdp
from outdial.model import media, work
from outdial.model.ids import LegId
from outdial.model.invocations import BadReply, FunctionState, InvocationFailed, Invoke, Replied
from outdial.model.requests import Drain, Placed
from outdial.sip import values as sip

LISTS = ((), (SPEAK,), (PLAY, HANGUP), (HANGUP,), (RECORD,), (PAUSE, RECORD, PLAY), (LISTEN, ASK), (ASK, SPEAK))
SPOKEN = (media.Play, media.Collect, media.SendDigits, media.Record)


class Callee:
    """The SIP side of one session, as far as it has come."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.state = "held"
        self.over = False


class Chaos(World):
    """Nobody answers unasked; `choose` does one thing that is possible now."""

    def __init__(self, **settings: Any) -> None:
        self.open: list[Any] = []
        """Requests that have no answer yet."""
        self.running: list[Any] = []
        """Long commands that have started and not ended."""
        self.sessions: dict[str, Callee] = {}
        self.engine = True
        super().__init__(**settings)
        self.silent = set(self._answers)

    def _drain(self) -> None:
        before = len(self.out)
        super()._drain()
        for output in self.out[before:]:
            self._take(output)

    def _take(self, output: Any) -> None:
        match output:
            case work.Save(token=0) | work.Note():
                pass
            case sip.Dial():
                self.sessions[output.session] = Callee(output.session)
                self.open.append(output)
            case sip.Go():
                self.sessions[output.session].state = "calling"
            case sip.Acknowledge():
                callee = self.sessions[output.session]
                callee.state = "up" if callee.state == "accepted" else callee.state
            case sip.Cancel() | sip.Bye():
                if not self.sessions[output.session].over:
                    self.open.append(output)
            case sip.AdoptInvite() | sip.AdoptDialog():
                self.sessions[output.session] = Callee(output.session)
                self.open.append(sip.Bye(session=output.session))
            case _ if isinstance(output, media.Command.__args__):
                if self.engine:
                    self.open.append(output)
            case work.Save() | work.Withdraw() | work.Prompt() | work.Match() | work.Deliver() | work.Repair() | Invoke():
                self.open.append(output)

    # --- one thing at a time ---

    def choose(self, choice: int) -> None:
        """Do one thing that is possible now: mostly an answer that is owed, seldom a blow."""
        kind, how = choice % 20, choice // 20
        callees = [one for one in self.sessions.values() if not one.over and one.state in ("calling", "accepted", "up")]
        if kind < 11 and self.open:
            self._answer(self.open[how % len(self.open)], how // len(self.open))
        elif kind < 13 and self.running:
            self._end(self.running[how % len(self.running)], how)
        elif kind < 16 and callees:
            callee, how = callees[how % len(callees)], how // len(callees)
            self.leg = LegId(callee.session)
            self._callee(callee, how)
        elif kind == 16 and self.all(Placed):
            placed = self.all(Placed)
            self.update(call=placed[how % len(placed)].call)
        elif kind == 17 and self.leg:
            self.presses("12#"[how % 3])
        elif kind == 18:
            self._node(how)
        else:
            self.wait((0.05, 0.2, 0.5, 1.0, 3.0, 12.0, 35.0)[how % 7])

    def set_up(self) -> None:
        """Everybody does their duty until the call is answered."""
        for _ in range(40):
            callees = [one for one in self.sessions.values() if one.state == "calling"]
            if self.open:
                self._answer(self.open[0], 2)
            elif callees:
                self._accept(callees[0], answer_sdp(), True)
            else:
                return

    def _node(self, how: int) -> None:
        match how % 8:
            case 0:
                self.engine = False
                self.open = [it for it in self.open if not isinstance(it, media.Command.__args__)]
                self.running.clear()
                self.give(media.EngineGone())
            case 1:
                self.engine = True
                self.give(media.Ready(version="again"))
            case 2:
                self.give(work.StoreState(refusing=how % 16 == 2))
            case 3 if how % 24 == 3:
                self.give(Drain(within=2.0))
            case _:
                self.wait(0.2)

    def _callee(self, callee: Callee, how: int) -> None:
        session, state = callee.session, callee.state
        if state == "calling":
            match how % 12:
                case 0 | 1:
                    self.give(sip.Provisional(session=session, status=180, tag="far", body=b"", source=TRUNK))
                case 2:
                    self.give(sip.Provisional(session=session, status=183, tag="far", body=answer_sdp(), source=TRUNK))
                case 3:
                    self.give(sip.Provisional(session=session, status=181, tag="far", body=b"", source=TRUNK))
                case 4:
                    self.give(sip.Held(session=session, invite=b"INVITE with credentials", source=US, destination=TRUNK))
                case 5:
                    self.give(sip.Offered(session=session, method="UPDATE", body=answer_sdp()))
                case 6:
                    self._accept(callee, b"", True)
                case 7 | 8 | 9:
                    self._accept(callee, answer_sdp(), True)
                case 10:
                    self._over(callee, (486, 503, 404, 408)[how % 4], "peer")
                case 11:
                    self._over(callee, (503, 408)[how % 2], "network")
            return
        match how % 9:
            case 0:
                self.give(sip.ByeReceived(session=session))
                self._over(callee, 0, "peer")
            case 1:
                self._over(callee, 503, "network")
            case 2 | 3:
                self.give(sip.Offered(session=session, method="INVITE", body=(b"", answer_sdp(), answer_sdp(port=50000))[how % 3]))
            case 4:
                self.give(sip.AckBody(session=session, body=answer_sdp()))
            case 5:
                self._accept(callee, answer_sdp(), False)
            case _:
                self.give(sip.InfoReceived(session=session, content_type="application/dtmf-relay", body=b"Signal=1\r\nDuration=100\r\n"))

    def _accept(self, callee: Callee, body: bytes, wanted: bool) -> None:
        if wanted:
            callee.state = "accepted"
        self.give(
            sip.Accepted(
                session=callee.session,
                fork="far",
                wanted=wanted,
                remote_tag="far",
                remote_target="sip:far@192.0.2.9",
                routes=(),
                body=body,
                headers=(),
                source=TRUNK,
            )
        )

    def _over(self, callee: Callee, status: int, who: str) -> None:
        callee.over = True
        self.open = [it for it in self.open if not (isinstance(it, sip.Bye | sip.Cancel | sip.Dial) and it.session == callee.session)]
        self.give(sip.Over(session=callee.session, who=who, status=status))  # type: ignore[arg-type]

    # --- answers ---

    def _answer(self, it: Any, how: int) -> None:
        if it not in self.open:
            return
        self.open.remove(it)
        match it:
            case media.OpenStream():
                good = media.Done(id=it.id, stream=it.stream, rtp_port=10000, rtcp_port=10001)
                self.give(media.Failed(id=it.id, stream=it.stream, reason="no_port") if how % 7 == 6 else good)
            case media.CloseStream():
                for running in [one for one in self.running if one.stream == it.stream]:
                    self._end(running, 0, "stream_closed")
                self.open = [one for one in self.open if getattr(one, "stream", None) != it.stream]
                self.give(media.Done(id=it.id, stream=it.stream, statistics=media.StreamStatistics()))
            case media.Stop():
                for running in [one for one in self.running if one.id == it.target]:
                    self._end(running, 0, "stopped")
                self.give(media.Done(id=it.id, stream=it.stream))
            case media.Play() | media.Collect() | media.SendDigits() | media.Record():
                if how % 7 == 6:
                    self.give(media.Failed(id=it.id, stream=it.stream, reason="no_stream"))
                else:
                    self.running.append(it)
                    self.give(media.Done(id=it.id, stream=it.stream))
            case _ if isinstance(it, media.Command.__args__):
                failed = media.Failed(id=it.id, stream=it.stream, reason="no_stream")
                self.give(failed if how % 9 == 8 else media.Done(id=it.id, stream=it.stream))
            case work.Withdraw():
                saves = [one for one in self.open if isinstance(one, work.Save) and one.token == it.token]
                self.open = [one for one in self.open if one not in saves]
                if saves:
                    self.give((work.Withdrawn, work.Saved)[how % 2](token=it.token))
            case Invoke():
                self._reply(it, how)
            case sip.Dial():
                if how % 5 == 4:
                    self._over(self.sessions[it.session], 503, "network")
                else:
                    self.give(sip.Held(session=it.session, invite=b"INVITE", source=US, destination=TRUNK))
            case sip.Cancel() if how % 3 == 1 and self.sessions[it.session].state == "calling":
                self._accept(self.sessions[it.session], answer_sdp(), False)
                self._over(self.sessions[it.session], 200, "us")
            case sip.Cancel() | sip.Bye():
                self._over(self.sessions[it.session], 487 if isinstance(it, sip.Cancel) else 0, "us")
            case _ if how % 5 == 4 and isinstance(it, work.Prompt | work.Deliver | work.Match | work.Repair):
                self.give(work.WorkFailed(token=it.token, reason="unreachable"))
            case _:
                self.give(*self._answers[type(it)](it))

    def _reply(self, it: Invoke, how: int) -> None:
        kind, which = how % 6, how // 6
        if kind < 4:
            attributes = {"n": which} if kind == 3 else None
            self.give(Replied(call=it.call, sequence=it.sequence, actions=LISTS[which % len(LISTS)], attributes=attributes))
        elif kind == 4:
            self.give(BadReply(call=it.call, sequence=it.sequence, error_type="X", message="bad"))
        else:
            self.give(InvocationFailed(call=it.call, sequence=it.sequence, reason=("failed", "timeout")[which % 2], detail="x"))

    def _end(self, it: Any, how: int, why: str | None = None) -> None:
        if it not in self.running:
            return
        self.running.remove(it)
        match it:
            case media.Play():
                self.give(media.PlayEnded(id=it.id, stream=it.stream, why=why or "finished", played_ms=1))  # type: ignore[arg-type]
            case media.Collect():
                digits = "" if why else "12"[how % 2]
                self.give(media.Collected(id=it.id, stream=it.stream, digits=digits, why=why or ("max", "first")[how % 2]))  # type: ignore[arg-type]
            case media.SendDigits():
                self.give(media.DigitsSent(id=it.id, stream=it.stream, why=why or "finished"))  # type: ignore[arg-type]
            case media.Record():
                ended = why or ("limit", "silence", "disk_full")[how % 3]
                self.give(media.RecordEnded(id=it.id, stream=it.stream, why=ended, path=it.path, samples=1))  # type: ignore[arg-type]

    # --- the end ---

    def settle(self) -> None:
        """Everybody does what they owe, the callee hangs up, the handler says nothing more: a call is over after this."""
        self.give(FunctionState(function=self.invoked.function if self.given else "reminder", state="served"))  # type: ignore[arg-type]
        for _ in range(600):
            if self.open:
                it = self.open[0]
                self._answer(it, 0)
            elif any(not one.over and one.state in ("calling", "accepted", "up") for one in self.sessions.values()):
                for callee in self.sessions.values():
                    if not callee.over and callee.state in ("accepted", "up"):
                        self.give(sip.ByeReceived(session=callee.session))
                        self._over(callee, 0, "peer")
                    elif not callee.over and callee.state == "calling":
                        self._over(callee, 486, "peer")
            elif self.running:
                self._end(self.running[0], 0)
            elif self.control.next_deadline() is not None:
                self.wait(20.0)
            else:
                return
        raise AssertionError(f"it never ends: {self.out[-20:]}")
