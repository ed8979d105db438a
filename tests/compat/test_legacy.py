"""The legacy namespace `chime` 2018-05-01, as the last botocore that has it speaks it: reference/api section 3."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from helpers.api_server import ApiServer
from helpers.venvs import CannotInstall, python_with

VERSION = "1.37.1"


@pytest.fixture(scope="module")
def old_python() -> Path:
    try:
        return python_with(f"boto3=={VERSION}", f"botocore=={VERSION}")
    except CannotInstall as error:
        pytest.skip(f"botocore {VERSION} cannot be installed here: {error}")


def run(python: Path, server: ApiServer) -> dict[str, Any]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    keys = {"AWS_ACCESS_KEY_ID": "outdial", "AWS_SECRET_ACCESS_KEY": "outdial", "AWS_ENDPOINT_URL_CHIME": server.url}
    client = Path(__file__).with_name("legacy_client.py")
    done = subprocess.run([python, client], env={**own, **keys}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert isinstance(seen, dict)
    return seen


@pytest.mark.service_model
def test_an_old_program_runs_unchanged(old_python: Path, server: ApiServer) -> None:  # 137
    seen = run(old_python, server)
    transaction = seen.pop("transaction")
    assert transaction in server.control.live
    assert seen == {
        "botocore": VERSION,
        "found": ["+12065550100", "+12065550101"],
        "order": "Successful",
        "number": {"E164PhoneNumber": "+12065550100", "year": seen["number"]["year"]},
        "listed": ["reminders"],
        "created": 201,
        "updated": 202,
        "arguments_map": "refused by the client",
        "forbidden": {
            "Error": {"Code": "ForbiddenException", "Message": "Refused here: emergency"},
            "Code": "Forbidden",
            "Message": "Refused here: emergency",
        },
        "business_calling": "1 validation error detected: Value 'BusinessCalling' at 'productType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [VoiceConnector, SipMediaApplicationDialIn]",
        "not_served": {"Code": "ForbiddenException", "Message": "CreateAccount is not supported by this server yet."},
        "left": [],
        "current_namespace": 200,
    }
    [placed] = server.control.dialled
    assert placed.sip_headers == {"X-Order": "17"}
    assert placed.arguments is None


@pytest.mark.service_model
def test_the_legacy_models_bindings_are_the_same(old_python: Path) -> None:
    """Every operation that both namespaces have stands at the same place and answers with the same status."""
    from outdial.api._shapes import LEGACY_BOTOCORE, LEGACY_ONLY, OPERATIONS

    script = (
        "import json, botocore.loaders as l; m = l.Loader().load_service_model('chime', 'service-2', '2018-05-01')\n"
        "def row(o): return [o['http']['method'], o['http']['requestUri'], o['http'].get('responseCode', 200)]\n"
        "rows = {n: row(o) for n, o in m['operations'].items()}\n"
        "print(json.dumps(rows))"
    )
    done = subprocess.run([old_python, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    legacy = json.loads(done.stdout)
    shared = set(legacy) & set(OPERATIONS)
    assert len(shared) == 74
    for name in shared:
        ours = OPERATIONS[name]
        assert [ours["method"], ours["uri"], ours["status"]] == legacy[name], name
    assert LEGACY_BOTOCORE == VERSION
    assert {row[0]: list(row[1:]) for row in LEGACY_ONLY} == {name: legacy[name][:2] for name in set(legacy) - shared}
