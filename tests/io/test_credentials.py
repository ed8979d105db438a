"""Credentials of the user's own are found where an SDK would find them."""

from __future__ import annotations

from pathlib import Path

import pytest

from outdial.io.credentials import in_files


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = b\n", True),
        ("config", "[default]\nsso_session = mine\nregion = eu-west-1\n", True),
        ("config", "[default]\ncredential_process = /bin/keys\n", True),
        ("config", "[default]\nregion = eu-west-1\n", False),
        ("credentials", "[other]\naws_access_key_id = A\n", False),
        ("credentials", "no section at all\n", False),
    ],
)
def test_in_the_home_folder(tmp_path: Path, file: str, text: str, found: bool) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / file).write_text(text)
    assert in_files({"HOME": str(tmp_path)}) is found


def test_where_the_variables_say(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("[default]\naws_access_key_id = A\n")
    assert in_files({"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "keys")})
    assert not in_files({"HOME": str(tmp_path)})
    assert not in_files({})
