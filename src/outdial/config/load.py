"""Settings from outside: a TOML file, the environment (`OUTDIAL_` and the name in capitals), flags; the later wins."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import ConfigError, OutdialError
from .kinds import Wanted
from .settings import Config, FunctionSetting, TrunkSetting

FILE = "outdial.toml"
PREFIX = "OUTDIAL_"
ELSEWHERE = {"OUTDIAL_CONFIG", "OUTDIAL_FD"}
"""Variables of ours that are no settings."""


def load(flags: Mapping[str, Any] | None = None, *, file: Path | None = None, environment: Mapping[str, str] | None = None) -> Config:
    """Read the file (`outdial.toml` here, where no other is named), the environment and the flags.

    Raises `ConfigError`, or `OutdialError` (`config_file`, `unknown_setting`), for the first thing that is wrong.
    """
    env = os.environ if environment is None else environment
    named = file or (Path(env["OUTDIAL_CONFIG"]) if env.get("OUTDIAL_CONFIG") else None)
    path = named or Path(FILE)
    places: dict[str, str] = {}
    values: dict[str, Any] = {}
    for place, found in (
        (str(path), _from_file(path, must=named is not None)),
        ("the environment", _from_environment(env)),
        ("the command line", {key: value for key, value in (flags or {}).items() if value is not None}),
    ):
        for key, value in found.items():
            if key not in Config.model_fields:
                shown = f"{PREFIX}{key.upper()}" if place == "the environment" else key
                raise OutdialError("unknown_setting", place=place, setting=shown, suggestion=_suggestion(key, Config.model_fields))
            values[key], places[key] = value, place
    try:
        config = Config(**values)
        config.function_specs()
        return config
    except ValidationError as error:
        raise _explain(error, places) from None


def _from_file(path: Path, *, must: bool) -> dict[str, Any]:
    try:
        text = path.read_bytes().decode()
        return _beside(tomllib.loads(text), path.parent)
    except FileNotFoundError:
        if must:
            raise OutdialError("config_file", path=path, problem="it does not exist") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else str(error)
        raise OutdialError("config_file", path=path, problem=problem) from None


def _beside(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Paths in a file are meant from where it stands."""
    for key in ("data", "subscribers", "ca_file"):
        if isinstance(values.get(key), str):
            values[key] = folder / values[key]
    table = values.get("function")
    if isinstance(table, dict):
        for name, setting in table.items():
            spec = setting.get("spec") if isinstance(setting, dict) else setting
            if isinstance(spec, str):
                kind, colon, rest = spec.partition(":")
                if colon and kind in ("python", "node") and str(folder) != ".":
                    spec = f"{kind}:{folder / rest}"
                table[name] = {**setting, "spec": spec} if isinstance(setting, dict) else spec
    return values


def _from_environment(env: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in env.items()
        if name.startswith(PREFIX) and name not in ELSEWHERE and value != ""
    }


def _suggestion(key: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _explain(error: ValidationError, places: Mapping[str, str]) -> OutdialError:
    """The first fault as one of ours: pydantic's own words stay inside."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"] if not str(part).startswith("function-")]
    setting = ".".join(where)
    place = places.get(where[0], "")
    mend = f"It stands in {place}; `outdial config check` looks at all settings at once." if place else ""
    if first["type"] == "extra_forbidden":
        known = TrunkSetting.model_fields if where[0] == "trunk" else FunctionSetting.model_fields
        return OutdialError("unknown_setting", place=place, setting=setting, suggestion=_suggestion(where[-1], known))
    value = first.get("input")
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, Wanted):
        return ConfigError(setting, value, str(cause), mend=mend)
    return ConfigError(setting, value, _wanted(first), mend=mend)


def _wanted(fault: Any) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "literal_error":
        return str(context["expected"])
    if kind in ("int_parsing", "int_type", "int_from_float"):
        return "a whole number"
    if kind in ("bool_parsing", "bool_type"):
        return "true or false"
    if kind == "greater_than_equal":
        return f"a number from {context['ge']} on"
    if kind == "less_than_equal":
        return f"a number up to {context['le']}"
    if kind == "string_pattern_mismatch":
        return {r"^\d{12}$": "an account id of twelve digits"}.get(context["pattern"], "the name of a Region such as us-east-1")
    if kind == "missing":
        return "complete: it has to be there"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "a table"
    return "text" if kind == "string_type" else str(fault["msg"]).lower()
