"""Changes at once, and changes on the real store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.api_server import ApiServer
from helpers.aws import Aws, Reply
from outdial.store import Store

ARN = "arn:aws:lambda:us-east-1:000000000000:function:reminder"
BODY = {"AwsRegion": "us-east-1", "Name": "one", "Endpoints": [{"LambdaArn": ARN}]}
N1 = "+12065550100"


def at_once(server: ApiServer, *asks: Callable[[], Reply]) -> list[Reply]:
    """Send all of them while no commit goes through; let commits through once each has been read."""

    def hold() -> None:
        server.resources.switch.slow = asyncio.Event()

    server.run(hold)
    before, replies = server.arrived, {}
    threads = [threading.Thread(target=lambda n=n, ask=ask: replies.update({n: ask()})) for n, ask in enumerate(asks)]
    for thread in threads:
        thread.start()
    server.wait_for_requests(before + len(asks))
    server.wait_until(lambda: server.resources.switch.commits > 0)
    slow = server.resources.switch.slow
    assert slow is not None
    server.run(slow.set)
    for thread in threads:
        thread.join(20)
    return [replies[n] for n in range(len(asks))]


def test_two_changes_at_once_are_both_kept() -> None:
    with ApiServer() as server:
        aws = Aws(server.host, server.port)
        made = aws("POST", "/sip-media-applications", BODY).json["SipMediaApplication"]
        path = f"/sip-media-applications/{made['SipMediaApplicationId']}"
        server.resources.switch.commits = 0
        at_once(
            server,
            lambda: aws("PUT", path, {"Name": "two"}),
            lambda: aws("PUT", path, {"Endpoints": [{"LambdaArn": f"{ARN}-2"}]}),
        )
        now = aws("GET", path).json["SipMediaApplication"]
        assert (now["Name"], now["Endpoints"]) == ("two", [{"LambdaArn": f"{ARN}-2"}])


def test_two_orders_at_once_get_a_number_once() -> None:
    with ApiServer() as server:
        aws = Aws(server.host, server.port)
        body = {"ProductType": "SipMediaApplicationDialIn", "E164PhoneNumbers": [N1]}
        replies = at_once(server, *[lambda: aws("POST", "/phone-number-orders", body)] * 2)
        statuses = sorted(reply.json["PhoneNumberOrder"]["Status"] for reply in replies)
        assert statuses == ["Failed", "Successful"]
        [winner] = [r.json["PhoneNumberOrder"] for r in replies if r.json["PhoneNumberOrder"]["Status"] == "Successful"]
        assert aws("GET", "/phone-numbers/%2B12065550100").json["PhoneNumber"]["OrderId"] == winner["PhoneNumberOrderId"]


@pytest.mark.parametrize(
    ("path", "body", "listed"),
    [
        ("/sip-media-applications", BODY, "SipMediaApplications"),
        ("/phone-number-orders", {"ProductType": "SipMediaApplicationDialIn", "E164PhoneNumbers": [N1]}, "PhoneNumberOrders"),
    ],
)
def test_a_repeat_after_a_restart_gets_the_first_outcome(tmp_path: Path, path: str, body: dict[str, Any], listed: str) -> None:
    replies: list[Reply] = []
    for _ in range(2):
        store = Store.open(tmp_path / "outdial.db")
        try:
            with ApiServer(resources=store.resources) as server:
                aws = Aws(server.host, server.port)
                replies.append(aws("POST", path, body, extra={"amz-sdk-invocation-id": "one"}))
                assert len(aws("GET", path).json[listed]) == 1
        finally:
            store.close()
    assert [reply.status for reply in replies] == [201, 201]
    assert replies[0].raw == replies[1].raw
