"""A healthy call that goes on beside whatever a test does to its node, and shows at the end that nothing of it was felt."""

from __future__ import annotations

from helpers.live_node import LiveNode
from outdial.model.ids import CallId
from outdial.model.resources import CallHistory

STEADY = """
def handler(event, context):
    actions = []
    if event["InvocationEventType"] == "CALL_UPDATE_REQUESTED" and "end" in event["ActionData"]["Parameters"]["Arguments"]:
        actions = [{"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}]
    return {"SchemaVersion": "1.0", "Actions": actions}
"""
STAYS = "+12065550180"
"""A subscriber of the built-in carrier that answers at once and stays."""


class SteadyCall:
    """One call of the function `steady`; `goes_on` asks its handler something, `end` hangs up."""

    def __init__(self, node: LiveNode, application: str, to: str = STAYS) -> None:
        self._node, self._application = node, application
        self.call: CallId = node.place(to=to, application=application)
        self._asked = 0
        node.until(self.call, lambda history: bool(history.dialogs), "the steady call to be answered")

    def goes_on(self) -> None:
        """An update reaches its handler and is answered; the call is up."""
        self._ask({"n": str(self._asked)})
        history = self._node.until(self.call, lambda history: self._answered(history) >= self._asked, "the steady call's handler to answer")
        assert history.ended is None
        assert not history.legs_ended

    def end(self) -> CallHistory:
        """It ends when its handler says so; nothing of what happened beside it stands in its record."""
        self._ask({"end": "yes"})
        history = self._node.finished(self.call)
        assert history.cdr is not None
        assert (history.cdr.termination.reason, history.cdr.termination.hangup_code) == ("completed", 0)
        assert [row.sequence for row in history.invocations] == list(range(1, len(history.invocations) + 1))
        assert {done.outcome for done in history.outcomes} == {"replied"}
        assert history.notes == ()
        assert history.cdr.answered_at is not None
        due = (history.cdr.ended_at - history.cdr.answered_at) / 20
        assert history.cdr.packets_sent >= 0.9 * due - 10, f"{history.cdr.packets_sent} of {due:.0f} packets"
        return history

    def _ask(self, arguments: dict[str, str]) -> None:
        self._asked += 1
        self._node.client().update_sip_media_application_call(
            SipMediaApplicationId=self._application, TransactionId=self.call, Arguments=arguments
        )

    def _answered(self, history: CallHistory) -> int:
        updates = {row.number for row in history.events if type(row.event).__name__ == "UpdateRequested"}
        done = {done.sequence for done in history.outcomes}
        return sum(row.number in updates and row.sequence in done for row in history.invocations)
