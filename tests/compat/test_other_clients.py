"""Other clients: the AWS SDK for JavaScript v3 and the AWS command line, each in an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from helpers.api_server import ApiServer
from helpers.venvs import CannotInstall, node_with, python_with

JAVASCRIPT = "@aws-sdk/client-chime-sdk-voice@3.1142.0"
COMMAND_LINE = "awscli==1.46.3"


@pytest.fixture(scope="module")
def packages() -> Path:
    try:
        return node_with(JAVASCRIPT)
    except CannotInstall as error:
        pytest.skip(f"{JAVASCRIPT} cannot be installed here: {error}")


@pytest.fixture(scope="module")
def command_line() -> Path:
    try:
        return python_with(COMMAND_LINE)
    except CannotInstall as error:
        pytest.skip(f"{COMMAND_LINE} cannot be installed here: {error}")


def environment(server: ApiServer) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON", "NODE_"))}
    return {
        **own,
        "AWS_ACCESS_KEY_ID": "outdial",
        "AWS_SECRET_ACCESS_KEY": "outdial",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_CHIME_SDK_VOICE": server.url,
    }


@pytest.mark.service_model
def test_a_javascript_program_runs_unchanged(packages: Path, server: ApiServer, tmp_path: Path) -> None:  # 135, 136
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    script = shutil.copy(Path(__file__).with_name("javascript_client.mjs"), tmp_path)
    done = subprocess.run(["node", script], env=environment(server), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen.pop("transaction") in server.control.live
    assert seen == {
        "order": [201, True, 36],
        "orders": [True],
        "application": [201, True],
        "pages": 3,
        "placed": 201,
        "updated": 202,
        "number": [True, True],
        "deleted": 204,
        "restored": ["Unassigned", True],
        "errors": [
            ["ForbiddenException", True, "Forbidden", "Refused here: emergency", 403, 1],
            ["BadRequestException", True, "BadRequest", "toPhoneNumber: expected a string, got a number", 400, 1],
            ["NotFoundException", True, "NotFound", "No SIP media application has this id", 404, 1],
            ["ForbiddenException", True, "Forbidden", "GetSipRule is not supported by this server yet.", 403, 1],
        ],
    }
    assert server.control.dialled[0].arguments == {"who": "é😀"}


@pytest.mark.service_model
def test_the_aws_command_line_places_a_call(command_line: Path, server: ApiServer, application: str, number: str) -> None:  # 142
    def aws(*words: str) -> Any:
        command = [str(command_line.with_name("aws")), "chime-sdk-voice", *words]
        done = subprocess.run(command, env=environment(server), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    placed = aws(
        "create-sip-media-application-call",
        "--sip-media-application-id", application,
        "--from-phone-number", number,
        "--to-phone-number", "+12065550150",
        "--arguments-map", "who=you",
    )  # fmt: skip
    assert placed["SipMediaApplicationCall"]["TransactionId"] in server.control.live
    assert server.control.dialled[0].arguments == {"who": "you"}
    assert [one["SipMediaApplicationId"] for one in aws("list-sip-media-applications")["SipMediaApplications"]] == [application]
    assert aws("delete-sip-media-application", "--sip-media-application-id", application) is None
