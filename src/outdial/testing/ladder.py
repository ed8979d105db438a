"""Runs a scenario: a whole node and a telephone on virtual time, line after line (STYLE 7).

Theory of operation. What `us` does is noted as it happens: messages that reach alice, events that reach the handler, answers to the API,
deliveries. A line `us > X` takes the oldest thing that X was sent and no line has told yet, letting time pass until there is one; a line
`X > us` makes X do it now. What no line tells is an error, but for what may go untold: ACK, 100, answers to what alice asked, good answers
to the API, repeats. The order among different receivers is the ladder's, but for what happens within a quarter of a second.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..model import media, requests, work
from ..model.ids import CallId, CommandId, LegId, Token
from ..model.invocations import FunctionState
from ..model.settings import CallSettings, InvocationSettings, Trunk
from ..sip.message import Request, Response
from .handset import Do
from .hearing import Stretch
from .ladder_text import Line, Scenario
from .ladder_words import alike, described, fields, scripted, share, sip_differences, stretches, within
from .ladder_world import Happening, LadderWorld
from .network import Quality
from .shorthand import differences, read_reply
from .studio import tone
from .world import APPLICATION, FUNCTION, THEM, US, Handler

PATIENCE_S = 35.0
"""How long a line waits for what it tells."""
LOOSE_TONE_S = 0.3
AT_ONCE_S = 0.25
"""What happens within this may be told in any order."""
OVER_S = 80.0
"""How long a call may take to be over after its last line: 64*T1 and a delivery's time."""


class Mismatch(AssertionError):
    """A line did not come true: the ladder so far, and what came instead."""


class Ladder:
    """One run of one scenario. `handler` is a function to be tested (then lines `handler > us` say what it must answer), or None: then
    these lines are its answers."""

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        handler: Handler | None = None,
        *,
        quality: Quality | None = None,
        seed: int | str = 0,
        observers: Sequence[Callable[[str, str, Any, float], None]] = (),
    ) -> None:
        self.scenario = scenario
        self._handler = handler
        self._told: list[str] = []
        self._heard = 0
        calls, invocations = self._settings(folder)
        self.world = LadderWorld(
            folder,
            handler=handler,
            scripted=scripted(scenario.lines),
            settings=calls,
            invocations=invocations,
            quality=quality or Quality(),
            seed=seed,
            observers=observers,
        )
        self._began = self.world.now
        self._loose = quality is not None and quality != Quality()
        """A bad network shifts things in time: the order among different receivers, and when exactly, is not judged."""

    # --- the run ---

    def run(self) -> LadderWorld:
        """Go through all lines, then see that nothing is left, and that the call ended as said. Raises Mismatch."""
        for line in self.scenario.lines:
            if line.kind != "ends":
                self._step(line)
                self._told.append(f"{self.world.now - self._began:9.3f}  {line.text}")
        self._finish()
        return self.world

    def _step(self, line: Line) -> None:
        match line.kind:
            case "time":
                self.world.go(line.seconds)
                if not self._loose:
                    self._nothing_untold(line)
            case "stage":
                self._stage(line)
            case _ if line.source == "us":
                self._expect(line)
            case _:
                self._do(line)

    def _finish(self) -> None:
        world, ends = self.world, self.scenario.ends
        self._nothing_untold(None)
        if ends == ("no call",):
            world.go(1.0)
            self._nothing_untold(None)
            self._check(not world.cdrs, None, f"a call was made: {world.cdrs}")
            return
        if ends == ("in progress",):
            return
        world.until(lambda: bool(world.cdrs) and not world.calls.shared.active, within=OVER_S, must=False)
        self._nothing_untold(None)
        self._check(len(world.cdrs) == 1, None, f"{len(world.cdrs)} CDRs after {OVER_S:g} s, wanted one")
        end = world.cdrs[0].termination
        got = (end.who, end.result, end.reason)
        self._check(got == ends, None, f"the call ended {', '.join(got)} ({end.detail}), wanted {', '.join(ends)}")
        self._check(not world.store.unfinished(), None, "the store has an unfinished call")
        hangups = [event for event in world.events if event["InvocationEventType"] == "HANGUP"]
        sequences = list(dict.fromkeys(event["Sequence"] for event in world.events))
        self._check(sequences == list(range(1, len(sequences) + 1)), None, f"Sequence has a gap: {sequences}")
        self._check(len({event["Sequence"] for event in hangups}) <= 1, None, "more than one HANGUP")
        self._check(not hangups or world.events[-1]["InvocationEventType"] == "HANGUP", None, "something came after HANGUP")

    # --- lines that tell what us did ---

    def _expect(self, line: Line) -> None:
        if line.destination == "alice" and line.what == "RTP":
            self._hear(line)
            return
        if line.destination == "log":
            self._note(line)
            return
        if line.destination == "alice" and line.what == "DIGITS":
            self._dialled(line)
            return
        found: list[Happening] = []

        def look() -> bool:
            for item in self.world.happened:
                if item.told or item.destination != line.destination:
                    continue
                if self._fits(line, item):
                    found.append(item)
                    return True
                if not item.optional:
                    self._fail(line, f"instead came {described(item)}")
            return False

        self.world.until(look, within=PATIENCE_S, must=False)
        if not found:
            self._fail(line, f"nothing came within {PATIENCE_S:g} s")
        item = found[-1]
        for other in self.world.happened:
            early = not self._loose and other.at < item.at - AT_ONCE_S
            if early and not other.told and not other.optional and other is not item:
                self._fail(line, f"before it, at {other.at - self._began:.3f}, came {described(other)}, which no line tells")
        wrong = self._judge(line, item)
        if wrong:
            self._fail(line, f"{described(item)}: {'; '.join(wrong)}")
        item.told = True

    def _fits(self, line: Line, item: Happening) -> bool:
        if item.again != ("again" in line.words):
            return False
        if item.destination == "bucket" and line.what.endswith("*"):
            return item.what.startswith(line.what[:-1])
        to = line.facts.get("to")
        if to is not None and isinstance(item.item, Response) and item.item.get("cseq").split()[-1] != to:
            return False
        return item.what == line.what

    def _judge(self, line: Line, item: Happening) -> list[str]:
        match item.item:
            case Request() | Response():
                return sip_differences(line, item.item)
            case dict():
                return differences(item.item, line.facts)
            case requests.Refused(refusal=refusal):
                reason = line.words[1] if len(line.words) > 1 else refusal.reason
                return [] if refusal.reason == reason else [f"reason is {refusal.reason} ({refusal.detail}), wanted {reason}"]
            case work.Deliver():
                if len(line.words) == 1:
                    return []
                sounds = self.world.recorded(item.item)
                return self._sounds_like(line, sounds, 0.06)
        return []

    def _sounds_like(self, line: Line, sounds: list[Stretch], slack: float) -> list[str]:
        """A recording holds these stretches, in order (silence of under 0.3 s may go untold)."""
        wanted = stretches(line.words[1:])
        got = [one for one in sounds if one.hz or one.seconds >= 0.3 or len(sounds) == 1]
        same = len(wanted) == len(got) and all(alike(w, g, slack) for w, g in zip(wanted, got, strict=True))
        return [] if same else [f"it holds {', '.join(map(str, sounds)) or 'nothing'}"]

    def _hear(self, line: Line) -> None:
        world = self.world
        if line.words[1] == "silence":
            seconds = stretches(line.words[1:])[0].seconds
            before, packets = len(world.hearing.tones()), world.hearing.packets
            world.go(seconds)
            self._check(len(world.hearing.tones()) == before, line, f"instead sounded {world.hearing.tones()[-1:]}")
            self._check(world.hearing.packets > packets, line, "no packet came")
            return
        if line.words[1] == "nothing":
            packets = world.hearing.packets
            world.go(stretches(line.words[1:])[0].seconds)
            self._check(world.hearing.packets == packets, line, f"{world.hearing.packets - packets} packets came")
            return
        wanted = stretches([word for word in line.words[1:] if word != "whole"])[0]
        to_its_end = bool(wanted.seconds) or "whole" in line.words
        end = world.now + PATIENCE_S
        while True:
            sounded = world.hearing.stretches
            tones = [(index, one) for index, one in enumerate(sounded) if one.hz]
            over = len(tones) > self._heard and (tones[self._heard][0] < len(sounded) - 1 or not to_its_end)
            if over or world.now >= end or (len(tones) > self._heard and world.cdrs):
                break
            if world.calls.next_deadline() is None and world.pump.next_deadline() is None:
                break
            world.go(0.1)
        if len(tones) <= self._heard:
            self._fail(line, "no further tone came")
        heard = tones[self._heard][1]
        self._heard += 1
        loose = self._loose or bool(world.network.quality.loss)
        self._check(alike(wanted, heard, LOOSE_TONE_S if loose else 0.05), line, f"instead sounded {heard}")
        if not loose:
            self._check(not heard.missing, line, f"{heard.missing:.2f} s of it are missing")

    def _dialled(self, line: Line) -> None:
        wanted = list("".join(line.words[1:]))
        handset = self.world.handset
        self.world.until(lambda: len(handset.heard) >= len(wanted), within=PATIENCE_S, must=False)
        got = handset.heard[: len(wanted)]
        self._check(got == wanted, line, f"instead it heard {''.join(handset.heard) or 'nothing'}")
        del handset.heard[: len(wanted)]

    def _note(self, line: Line) -> None:
        level, text = line.words[0], " ".join(line.words[1:])

        def noted() -> bool:
            return any(note.level == level and text in note.what for note in self.world.notes)

        self.world.until(noted, within=PATIENCE_S, must=False)
        self._check(noted(), line, f"the notes are {[f'{note.level} {note.what}' for note in self.world.notes]}")

    # --- lines that make somebody do something ---

    def _do(self, line: Line) -> None:
        match line.source:
            case "app":
                self._ask(line)
            case "handler":
                self._reply(line)
            case "alice":
                facts = dict(line.facts)
                if line.what == "RTP" and line.words[1] == "tone":
                    facts["path"] = str(self._tone(line.words[2:]))
                self.world.give("phone.sip", Do(words=line.words, facts=facts))
            case other:
                self._fail(line, f"nobody is called {other}")

    def _tone(self, words: Sequence[str]) -> Path:
        stretch = stretches(["tone", *words])[0]
        path = self.world.folder / "alice" / f"{stretch.hz:g}-{stretch.seconds:g}.wav"
        return path if path.exists() else tone(path, stretch.hz, stretch.seconds or 1.0)

    def _ask(self, line: Line) -> None:
        facts = dict(line.facts)
        if line.what == "CALL":
            headers = {name: str(given) for name, given in facts.items() if name[0].isupper()}
            arguments = {name.removeprefix("args."): str(given) for name, given in facts.items() if name.startswith("args.")}
            to, from_ = str(facts.get("to", "+12065550150")), str(facts.get("from", "+12065550100"))
            self.world.place_now(to, from_, arguments or None, headers, facts)
        elif line.what == "UPDATE":
            application = APPLICATION.id if "stranger" not in line.words else "another"
            arguments = {name: str(given) for name, given in facts.items()}
            token = Token(self.world.ids.number())
            self.world.give(
                "calls",
                requests.UpdateCall(token=token, call=self.call, application=application, arguments=arguments),  # type: ignore[arg-type]
            )
        else:
            self._fail(line, "the app can CALL and UPDATE")

    @property
    def call(self) -> CallId:
        """The call that was placed."""
        placed = [item for item in self.world.told if isinstance(item, requests.Placed)]
        return placed[0].call if placed else CallId("no-such-call")

    def _reply(self, line: Line) -> None:
        world = self.world
        given = world.held
        if given is None:
            self._fail(line, "the handler has no event to answer")
            raise AssertionError
        if self._handler is not None:
            self._check_reply(line, given.reply)
            world.answer(given.reply)
            return
        match line.what:
            case "hangs":
                return
            case "raises":
                world.answer(RuntimeError(" ".join(line.words[1:]) or "boom"))
            case "dies":
                world.answer(None)
            case "text":
                world.answer(" ".join(line.words[1:]))
            case _:
                world.answer(json.dumps(self._reply_of(line)))

    def _reply_of(self, line: Line) -> dict[str, Any]:
        pieces = shlex.split(line.text.partition(">")[2].strip().partition(" ")[2])
        actions, attributes = read_reply(pieces)
        reply: dict[str, Any] = {"SchemaVersion": "1.0", "Actions": actions}
        if attributes is not None:
            reply["TransactionAttributes"] = attributes
        return reply

    def _check_reply(self, line: Line, reply: Any) -> None:
        if isinstance(reply, Exception):
            raise Mismatch(self._story(line, f"the handler raised {type(reply).__name__}: {reply}")) from reply
        wanted = self._reply_of(line)
        got = json.loads(reply)
        if not isinstance(got, dict) or not within(wanted, got):
            self._fail(line, f"the handler answered {reply}")

    # --- stage directions ---

    def _stage(self, line: Line) -> None:
        world, words = self.world, list(line.words)
        match words:
            case ["settings"]:
                return
            case ["network", "loses", *rest]:
                what = rest[-1] if rest[-1] not in ("always",) else rest[-2]
                many = 10_000 if "always" in rest else next((int(word) for word in rest[:-1] if word.isdigit()), 1)
                world.loses.append((what, many))
            case ["network", "loses"] | ["network", "delivers"]:
                world.loses.clear()
            case ["network", "refuses"]:
                world.refusing = True
            case ["network", "refuses", host]:
                world.refusing = host
            case ["network", "accepts"]:
                world.refusing = False
            case ["network"]:
                changes = {name: share(str(given)) for name, given in line.facts.items()}
                world.network.quality = Quality(**{**fields(world.network.quality), **changes})
            case ["database", "refuses"]:
                world.store.refuse()
            case ["database", "accepts"]:
                world.store.accept()
            case ["database", "holds"]:
                world.store.hold()
            case ["database", "goes", "on"]:
                world.store.release()
            case ["bucket", "refuses"]:
                world.studio.fail_deliveries = True
            case ["bucket", "accepts"]:
                world.studio.fail_deliveries = False
            case ["object", key, reason]:
                world.object_faults[key] = reason
            case ["speech", reason]:
                world.object_faults["speech"] = reason
            case ["engine", "waits"]:
                world.engine.waits = True
            case ["engine", "goes", "on"]:
                world.engine.go_on(world.now)
                world.pump.give("engine", media.Unwatch(id=CommandId(0), stream=LegId("")))
            case ["engine", "refuses", command, reason]:
                world.engine.refuses[command] = reason
            case ["disk", "is", "full"]:
                world.files.full = True
            case ["work", "waits"]:
                world.work_waits = True
            case ["work", "goes", "on"]:
                world.work_waits = False
                world.go_on("work")
            case ["dns", "waits"]:
                world.dns_waits = True
            case ["dns", "goes", "on"]:
                world.dns_waits = False
                world.go_on("sip")
            case ["workers", "wait"]:
                world.workers_wait = True
            case ["workers", "go", "on"]:
                world.workers_wait = False
                world.go_on("workers")
            case ["database", "withdraws", "late"]:
                world.withdraws_late = True
            case ["engine", "dies"]:
                world.kill_engine()
            case ["engine", "returns"]:
                world.revive_engine()
            case ["node", "drains", within]:
                world.give("calls", requests.Drain(within=float(within.rstrip("s"))))
            case ["node", "is", "killed"]:
                world.held = None
                world.restart()
            case ["function", "broken" | "unserved" | "served" as state]:
                world.give("calls", FunctionState(function=FUNCTION, state=state, detail="handler.py, line 3: SyntaxError"))
            case _:
                self._fail(line, "no such stage direction")
        world.pump.run(world.now)

    def _settings(self, folder: Path) -> tuple[CallSettings, InvocationSettings]:
        given: dict[str, Any] = {}
        for line in self.scenario.lines:
            if line.kind == "stage" and line.what == "settings":
                given |= line.facts
        trunk = Trunk(
            name="trunk", uri=given.pop("trunk", f"sip:{THEM}"), **{key: given.pop(key) for key in ("nat", "symmetric") if key in given}
        )
        for name in ("allowed_countries", "allowed_prefixes"):
            if isinstance(given.get(name), list):
                given[name] = tuple(given[name])
        ours = {name: given[name] for name in given if name in CallSettings.__struct_fields__}
        theirs = {name: given[name] for name in given if name in InvocationSettings.__struct_fields__}
        unknown = given.keys() - ours.keys() - theirs.keys()
        if unknown:
            raise Mismatch(f"{self.scenario.where}: no setting is called {', '.join(sorted(unknown))}")
        calls = CallSettings(local_host=US, recordings=str(folder / "recordings"), trunk=trunk)
        return msgspec.structs.replace(calls, **ours), msgspec.structs.replace(InvocationSettings(), **theirs)

    # --- failing ---

    def _nothing_untold(self, line: Line | None) -> None:
        untold = [item for item in self.world.happened if not item.told and not item.optional]
        if untold:
            self._fail(line, "no line tells " + ", then ".join(f"{described(item)} at {item.at - self._began:.3f}" for item in untold[:4]))

    def _check(self, good: bool, line: Line | None, why: str) -> None:
        if not good:
            self._fail(line, why)

    def _fail(self, line: Line | None, why: str) -> None:
        raise Mismatch(self._story(line, why))

    def _story(self, line: Line | None, why: str) -> str:
        here = f"{self.world.now - self._began:9.3f}  {line.text if line else 'the end'}"
        number = f"line {line.number}" if line else "the end"
        seen = [f"{item.at - self._began:9.3f}  us > {item.destination} {described(item)}" for item in self.world.happened[-12:]]
        return "\n".join(
            [
                f"{self.scenario.where} {self.scenario.title!r}, {number}: {why}",
                *(f"  {text}" for text in self._told),
                f"> {here}",
                f"  what us did last ({len(self.world.happened)} in all):",
                *(f"  {text}" for text in seen),
            ]
        )
