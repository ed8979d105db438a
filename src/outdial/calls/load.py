"""Does the machine keep up? What the engine and the node's loop said within the last second (DESIGN 8)."""

from __future__ import annotations

from ..model.media import Load as EngineLoad
from ..model.work import MachineState

FRESH_S = 1.5
"""A report comes each second; one that is older says nothing any more."""
LATE_SHARE = 0.01
LEAST_LATE = 5
"""Fewer late packets than this are no sign of anything: one call sends 50 a second, and a single late one would be 2 %."""
LOOP_LAG_MS = 100.0
PORTS_SHARE = 0.02


class Load:
    """The last word of each, and when it came."""

    def __init__(self) -> None:
        self._engine: EngineLoad | None = None
        self._engine_at = 0.0
        self._machine: MachineState | None = None
        self._machine_at = 0.0

    def on_engine(self, load: EngineLoad, now: float) -> None:
        self._engine, self._engine_at = load, now

    def on_machine(self, state: MachineState, now: float) -> None:
        self._machine, self._machine_at = state, now

    def overload(self, now: float) -> str | None:
        """A sentence that says what does not keep up, or None."""
        engine, machine = self._engine, self._machine
        if engine is not None and now - self._engine_at <= FRESH_S:
            if engine.late >= LEAST_LATE and engine.late >= LATE_SHARE * engine.sent:
                return f"{engine.late} of {engine.sent} packets were later than 20 ms within the last second."
            if engine.ports and engine.ports_free < PORTS_SHARE * engine.ports:
                return f"only {engine.ports_free} of {engine.ports} ports for audio are free."
        if machine is not None and now - self._machine_at <= FRESH_S and machine.loop_lag_ms > LOOP_LAG_MS:
            return f"the node's loop lagged by {machine.loop_lag_ms:.0f} ms within the last second."
        return None
