"""The timers of RFC 3261 (table 4 in appendix A) and RFC 6026, as rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """Seconds: T1 is the round trip's estimate, T2 the longest interval between repeats, T4 the longest life of a message on its way."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    @property
    def patience(self) -> float:
        """64*T1: timers B, F, H, J, L, M, and how long a 2xx is repeated."""
        return 64 * self.t1

    @property
    def d(self) -> float:
        """How long repeats of a refusal are answered with ACK over UDP: at least 32 s with the usual T1."""
        return max(64 * self.t1, 32.0) if self.t1 >= 0.5 else 64 * self.t1


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerRow:
    """One timer: for the documentation and its test."""

    name: str
    first: str
    growth: str
    transport: str
    source: str


ROWS = (
    TimerRow(name="A", first="T1", growth="doubles", transport="unreliable", source="RFC 3261 §17.1.1.2"),
    TimerRow(name="B", first="64*T1", growth="-", transport="any", source="RFC 3261 §17.1.1.2"),
    TimerRow(name="D", first="32 s", growth="-", transport="unreliable, else 0", source="RFC 3261 §17.1.1.2"),
    TimerRow(name="E", first="T1", growth="doubles up to T2", transport="unreliable", source="RFC 3261 §17.1.2.2"),
    TimerRow(name="F", first="64*T1", growth="-", transport="any", source="RFC 3261 §17.1.2.2"),
    TimerRow(name="G", first="T1", growth="doubles up to T2", transport="unreliable", source="RFC 3261 §17.2.1"),
    TimerRow(name="H", first="64*T1", growth="-", transport="any", source="RFC 3261 §17.2.1"),
    TimerRow(name="I", first="T4", growth="-", transport="unreliable, else 0", source="RFC 3261 §17.2.1"),
    TimerRow(name="J", first="64*T1", growth="-", transport="unreliable, else 0", source="RFC 3261 §17.2.2"),
    TimerRow(name="K", first="T4", growth="-", transport="unreliable, else 0", source="RFC 3261 §17.1.2.2"),
    TimerRow(name="L", first="64*T1", growth="-", transport="any", source="RFC 6026 §7.1"),
    TimerRow(name="M", first="64*T1", growth="-", transport="any", source="RFC 6026 §7.2"),
)
