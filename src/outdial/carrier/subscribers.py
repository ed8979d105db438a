"""Who can be called: the numbers of the built-in carrier and what each does, as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .steps import Again, Answer, Early, Echo, HangUp, Hear, Listen, Press, Read, Redirect, Refuse, Ring, Say, Stay, Step, Tone, Wait

FIRST = 12065550150
LAST = 12065550199


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One number and its script."""

    number: str
    """E.164, for example `+12065550150`."""
    note: str
    """What a caller meets: one line, for the documentation and for `outdial doctor`."""
    steps: tuple[Step, ...]


def _number(last_two: int) -> str:
    return f"+{FIRST - FIRST % 100 + last_two}"


def _answers(*steps: Step, ring: float | None = 1.0) -> tuple[Step, ...]:
    return (Ring(seconds=ring), Answer(), *steps)


_PROMPT = Listen(quiet=1.2)
_TALK: tuple[Step, ...] = (
    _PROMPT,
    Press(keys="1"),
    _PROMPT,
    Say(text="Thank you. I will be there on Tuesday at nine. Please tell the doctor that I am bringing the papers."),
    Stay(),
)
_LEAVES = HangUp(cause=16)
"""Q.850: normal call clearing."""
_BEEP = Tone(hertz=1000, ms=500)

_TABLE: dict[int, tuple[str, tuple[Step, ...]]] = {
    50: ("answers and converses: listens, presses 1, listens, speaks a sentence, stays on the line", _answers(*_TALK)),
    51: (
        "answers with a greeting, listens and thanks, again and again",
        _answers(Say(text="Hello?"), Listen(), Say(text="Thank you."), Again()),
    ),
    52: (
        "presses 9, and 1 after the next prompt",
        _answers(_PROMPT, Press(keys="9"), _PROMPT, Press(keys="1"), Stay()),
    ),
    53: ("answers, listens and never presses anything", _answers(Stay())),
    54: ("presses 1 while the caller is still speaking", _answers(Hear(), Wait(seconds=0.5), Press(keys="1"), Stay())),
    55: ("enters 123456 and # after the prompt", _answers(_PROMPT, Press(keys="123456#"), Stay())),
    56: ("is busy (486)", (Refuse(status=486, cause=17),)),
    57: ("never answers: rings for ever", (Ring(seconds=None),)),
    58: ("rejects the call everywhere (603)", (Ring(seconds=2.0), Refuse(status=603))),
    59: ("is not assigned (404)", (Refuse(status=404, cause=1),)),
    60: ("is switched off (480)", (Refuse(status=480, cause=20),)),
    61: (
        "is a voicemail: greeting, beep, listens for a message, thanks and hangs up",
        _answers(
            Say(text="You have reached the voicemail of Robin. Please leave a message after the tone."),
            _BEEP,
            Listen(quiet=3.0, at_most=120.0),
            Say(text="Thank you. Goodbye."),
            _LEAVES,
        ),
    ),
    62: ("hangs up in the middle of the caller's word", _answers(Hear(), Wait(seconds=0.4), _LEAVES)),
    63: (
        "hangs up in the middle of a word of its own",
        _answers(Say(text="Hello, this is a wrong number, I am terribly sorry", wait=False), Wait(seconds=1.3), _LEAVES),
    ),
    64: ("is an echo: gives back what it hears", _answers(Echo())),
    65: (
        "plays an announcement before it answers (183, early media), then converses",
        (Early(), Say(text="Please hold the line. Your call is being connected."), Answer(), *_TALK),
    ),
    66: (
        "plays an announcement of the network and then refuses (404)",
        (Early(), Tone(hertz=950, ms=330), Say(text="The number you have dialled is not in service."), Refuse(status=404, cause=1)),
    ),
    67: ("answers after 20 seconds of ringing", _answers(*_TALK, ring=20.0)),
    68: ("answers at once, without ringing", (Answer(), Stay())),
    69: (
        "is a machine that reads keys: asks for a code, reads it up to #, says it back",
        _answers(
            Say(text="Please enter your code, followed by the hash key."),
            Read(),
            Say(text="You entered {keys}."),
            Again(),
            ring=0.5,
        ),
    ),
    70: ("cannot be served just now (503)", (Refuse(status=503, cause=34),)),
    71: ("is barred (403)", (Refuse(status=403, cause=21),)),
    72: ("has moved to another number (302)", (Redirect(to="sip:+12065550150@example.com"),)),
    73: ("says nothing after 100 Trying", (Stay(),)),
    74: ("hangs up as soon as it has answered", _answers(_LEAVES, ring=0.5)),
    75: (
        "speaks without a pause",
        _answers(Say(text="And then I said to her, listen, I said, this cannot go on, and do you know what she told me?"), Again()),
    ),
    76: ("is a fax machine: 2100 Hz for 3 seconds, again and again", _answers(Tone(hertz=2100, ms=3000), Wait(seconds=1.5), Again())),
    77: ("presses 5 by SIP INFO after the prompt", _answers(_PROMPT, Press(keys="5", by="info"), Stay())),
    78: (
        "answers, speaks, and hangs up after ten seconds",
        _answers(Say(text="Yes? Who is speaking?"), Wait(seconds=10.0), _LEAVES),
    ),
    79: ("fails in the network (500)", (Refuse(status=500, cause=41),)),
}


def _built_in() -> dict[str, Subscriber]:
    table = {_number(n): Subscriber(number=_number(n), note=about, steps=does) for n, (about, does) in _TABLE.items()}
    for n in range(80, 90):
        note = "answers at once and stays on the line"
        table[_number(n)] = Subscriber(number=_number(n), note=note, steps=_answers(Stay(), ring=0.0))
    for n in range(90, 100):
        note = f"answers after {n - 89} s, says one sentence and stays on the line"
        table[_number(n)] = Subscriber(
            number=_number(n), note=note, steps=_answers(Say(text="Hello. I am listening."), Stay(), ring=n - 89.0)
        )
    return table


SUBSCRIBERS: Mapping[str, Subscriber] = _built_in()
"""By number."""


def find(subscribers: Mapping[str, Subscriber], dialled: str) -> Subscriber | None:
    """The subscriber of a number as it was dialled: E.164, without its `+`, or as ten digits of North America."""
    digits = "".join(letter for letter in dialled if letter.isascii() and letter.isdigit())
    for number in (f"+{digits}", f"+1{digits}"):
        if number in subscribers:
            return subscribers[number]
    return None


def sentences(steps: Iterable[Step]) -> list[Say]:
    """What a script says in words known beforehand."""
    return [step for step in steps if isinstance(step, Say) and "{keys}" not in step.text]
