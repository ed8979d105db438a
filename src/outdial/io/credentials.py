"""Whether an AWS SDK in a handler would find credentials of the user's own in files (DESIGN 6: a key of ours only where there are none)."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

_KEYS = ("aws_access_key_id", "credential_process", "sso_session", "sso_start_url", "role_arn")


def in_files(environment: Mapping[str, str]) -> bool:
    """The default profile of the shared credentials or configuration file leads to a key. A file that cannot be read counts as none."""
    home = Path(environment.get("HOME") or "/nonexistent")
    files = (
        environment.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws" / "credentials",
        environment.get("AWS_CONFIG_FILE") or home / ".aws" / "config",
    )
    for file in files:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read(file)
        except (configparser.Error, OSError, UnicodeError):
            continue
        if parser.has_section("default") and any(parser.has_option("default", key) for key in _KEYS):
            return True
    return False
