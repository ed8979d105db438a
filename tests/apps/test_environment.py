"""What a handler finds in its environment (DESIGN 6)."""

from __future__ import annotations

import msgspec
import pytest

from helpers.invocation_rig import PYTHON
from outdial.apps.environment import worker_environment
from outdial.model.settings import InvocationSettings

NODE = InvocationSettings(
    environment={"PATH": "/bin", "OUTDIAL_SECRET": "x", "OUTDIAL_DATA": "/var", "TZ": "Europe/Berlin", "TABLE": "node's"},
    endpoint="http://127.0.0.1:8060",
    access_key="outdial",
    secret_key="secret",
)


def environment(node: dict[str, str] | None = None, **own: str) -> dict[str, str]:
    settings = msgspec.structs.replace(NODE, environment={**NODE.environment, **(node or {})})
    return worker_environment(msgspec.structs.replace(PYTHON, environment=own), settings)


def test_nothing_of_the_nodes_own_reaches_a_handler() -> None:
    assert not [name for name in environment() if name.startswith("OUTDIAL_")]


def test_the_functions_own_come_after_the_nodes() -> None:
    assert environment()["TABLE"] == "node's"
    assert environment(TABLE="own")["TABLE"] == "own"
    assert environment()["PATH"] == "/bin"


def test_trait_23_lambdas_variables_are_set() -> None:
    found = environment()
    assert {name: found[name] for name in found if name.startswith(("AWS_LAMBDA", "_", "AWS_REGION", "AWS_DEFAULT", "TZ"))} == {
        "AWS_LAMBDA_FUNCTION_NAME": "app",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/app",
        "_HANDLER": "handler",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "TZ": ":UTC",
    }


def test_lambdas_variables_come_last() -> None:
    assert environment(AWS_LAMBDA_FUNCTION_NAME="other", _HANDLER="x")["AWS_LAMBDA_FUNCTION_NAME"] == "app"


@pytest.mark.parametrize(
    ("node", "own", "region"),
    [
        ({}, {}, "us-east-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, {}, "eu-west-1"),
        ({"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-west-1"}, {}, "eu-central-1"),
        ({"AWS_REGION": "eu-central-1"}, {"AWS_REGION": "us-west-2"}, "us-west-2"),
    ],
)
def test_the_region_is_the_most_special_that_is_set(node: dict[str, str], own: dict[str, str], region: str) -> None:
    assert environment(node, **own)["AWS_REGION"] == region


def test_the_nodes_api_is_where_a_handler_places_calls_itself() -> None:
    found = environment()
    assert found["AWS_ENDPOINT_URL_CHIME"] == found["AWS_ENDPOINT_URL_CHIME_SDK_VOICE"] == "http://127.0.0.1:8060"
    assert environment(AWS_ENDPOINT_URL_CHIME="http://x")["AWS_ENDPOINT_URL_CHIME"] == "http://x"
    assert environment({"AWS_ENDPOINT_URL_CHIME": "http://y"})["AWS_ENDPOINT_URL_CHIME"] == "http://y"


def test_a_key_of_its_own_where_no_other_is_set() -> None:
    found = environment({"AWS_SESSION_TOKEN": "left over"})
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]) == ("outdial", "secret")
    assert "AWS_SESSION_TOKEN" not in found


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"])
def test_other_credentials_are_left_alone(name: str) -> None:
    found = environment({name: "theirs"})
    assert found[name] == "theirs"
    assert "AWS_SECRET_ACCESS_KEY" not in found


def test_an_alias_is_no_part_of_the_name() -> None:
    assert worker_environment(msgspec.structs.replace(PYTHON, name="app:live"), NODE)["AWS_LAMBDA_FUNCTION_NAME"] == "app"
