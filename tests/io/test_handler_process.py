"""Real Python workers: an event in, a reply out, the context, the environment, what is printed."""

from __future__ import annotations

import json
from pathlib import Path

from helpers.handler_node import HandlerNode, invoke, python, run
from outdial.model.actions import Action
from outdial.model.invocations import Replied

SPEAKS = """
def handler(event, context):
    return {"SchemaVersion": "1.0", "Actions": [{"Type": "Speak", "Parameters": {"Text": event["InvocationEventType"]}}]}
"""


def test_a_warm_python_worker_answers_events_of_many_calls(tmp_path: Path) -> None:
    async def main() -> None:
        async with HandlerNode(python(tmp_path, SPEAKS)) as node:
            for number in range(1, 21):
                asked = invoke("app", call=number, sequence=3)
                assert await node.ask(asked) == Replied(
                    call=asked.call, sequence=3, actions=(Action(type="Speak", parameters={"Text": "CALL_ANSWERED"}),)
                )
                assert node.done(asked).outcome == "replied"
            assert len(node.started) == 1

    run(main)


def test_what_is_given_is_what_was_committed(tmp_path: Path) -> None:
    async def main() -> None:
        async with HandlerNode(python(tmp_path, SPEAKS)) as node:
            asked = invoke("app")
            await node.ask(asked)
            assert [given.text.encode() for given in node.given] == [row.request for row in node.records if hasattr(row, "request")]
            assert json.loads(node.given[0].text)["CallDetails"]["TransactionId"] == asked.call

    run(main)
