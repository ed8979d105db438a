"""Searches with expressions that applications wrote: in threads, without the interpreter's lock, within a time limit.

The documentation names no flavour; its examples and those in use are Java's (reference 10.3), so `\\Q…\\E` and `\\k<name>` are
understood too. An expression that once took too long waits in a lane of its own from then on: it costs its own call, not others.
"""

from __future__ import annotations

import asyncio
import functools
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

TIME_LIMIT_S: Final = 0.25
"""Each text. Texts are at most 129 digits: what is not found by then never will be."""
LONGEST: Final = 4096
MOST_STEPS: Final = 20_000
"""Of an expression with its repeats written out, which is how it is compiled."""
DEEPEST: Final = 100


class PatternRefused(Exception):
    """`reason` is `pattern` (it does not compile) or `too_slow`; `detail` is a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


_TOKEN: Final = re.compile(
    r"\\[pPxNkgu]\{[^}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]?|\{(?P<times>\d+)(?:,\d*)?\}|(?P<foreign>\{|\(\?(?:R|[+-]?\d|&|P>|\|))|.",
    re.DOTALL,
)
"""Escapes, sets, counted repeats, and what is no Java: fuzzy counts, recursion and branch resets, which could eat memory."""


def _shown(pattern: str) -> str:
    return pattern if len(pattern) <= 100 else pattern[:100] + "…"


def _steps(pattern: str) -> int:
    """About how many steps it compiles to. Raises `PatternRefused` where it nests too deep."""
    sums, last = [0], 0
    for token in _TOKEN.finditer(pattern):
        if token["foreign"] is not None:
            raise PatternRefused(
                "pattern", f'"{_shown(pattern)}" is not a regular expression of Java\'s ("{token[0]}" at {token.start() + 1})'
            )
        if (times := token["times"]) is not None:
            sums[-1] += last * (max(1, int(times)) - 1) if len(times) < 10 else MOST_STEPS + 1
        elif token[0] == "(":
            sums.append(0)
            last = 0
        elif token[0] == ")" and len(sums) > 1:
            last = sums.pop()
            sums[-1] += last
        else:
            last = 1
            sums[-1] += 1
        if len(sums) > DEEPEST:
            raise PatternRefused("pattern", f"groups nest more than {DEEPEST} deep at {token.start() + 1}")
    return sum(sums)


_JAVA: Final = re.compile(r"\\\\|\\Q(?P<quoted>.*?)(?:\\E|$)|\\k<(?P<name>\w+)>|\\x\{(?P<code>[0-9A-Fa-f]{1,5})\}", re.DOTALL)


def _from_java(pattern: str) -> str:
    def ours(found: re.Match[str]) -> str:
        if (quoted := found["quoted"]) is not None:
            return re.escape(quoted)
        if (name := found["name"]) is not None:
            return f"(?P={name})"
        if (code := found["code"]) is not None:
            return re.escape(chr(int(code, 16)))
        return found[0]

    return _JAVA.sub(ours, pattern)


@functools.lru_cache(maxsize=512)
def compiled(pattern: str) -> Any:
    """The compiled expression. Raises `PatternRefused`, saying where it is wrong."""
    import regex

    shown = _shown(pattern)
    if len(pattern) > LONGEST:
        raise PatternRefused("pattern", f'"{shown}" has {len(pattern):,} characters, the most is {LONGEST:,}')
    ours = _from_java(pattern)
    if _steps(ours) > MOST_STEPS:
        raise PatternRefused("pattern", f'"{shown}" has more than {MOST_STEPS:,} steps once its repeats are written out')
    try:
        return regex.compile(ours, regex.VERSION1)
    except regex.error as error:
        where = f" at {error.pos + 1}" if error.pos is not None else ""
        raise PatternRefused("pattern", f'"{shown}" is not a regular expression ({error.msg}{where})') from None
    except (RecursionError, OverflowError, MemoryError, ValueError) as error:
        raise PatternRefused("pattern", f'"{shown}" is not a regular expression ({error})') from None


def search(pattern: str, texts: tuple[str, ...], time_limit_s: float = TIME_LIMIT_S) -> bool:
    """Whether the expression is found in one of the texts. Blocks: call it in a thread. Raises `PatternRefused`."""
    expression = compiled(pattern)
    try:
        return any(expression.search(text, timeout=time_limit_s, concurrent=True) is not None for text in texts)
    except TimeoutError:
        raise PatternRefused(
            "too_slow", f'"{_shown(pattern)}" was not done within {time_limit_s:g} s; rewrite its nested repeats'
        ) from None


class Patterns:
    """Two lanes of threads: one for all, one for what was slow before."""

    def __init__(self, threads: int = 4) -> None:
        self._lane = ThreadPoolExecutor(threads, "patterns")
        self._slow_lane = ThreadPoolExecutor(1, "patterns-slow")
        self._slow: dict[str, None] = {}

    async def search(self, pattern: str, texts: tuple[str, ...]) -> bool:
        """`search`, off the loop."""
        loop = asyncio.get_running_loop()
        lane = self._slow_lane if pattern in self._slow else self._lane
        try:
            return await loop.run_in_executor(lane, search, pattern, texts)
        except PatternRefused as refused:
            if refused.reason == "too_slow":
                self._slow[pattern] = None
                if len(self._slow) > 1000:
                    del self._slow[next(iter(self._slow))]
            raise

    def close(self) -> None:
        """No more searches."""
        self._lane.shutdown(wait=False, cancel_futures=True)
        self._slow_lane.shutdown(wait=False, cancel_futures=True)
