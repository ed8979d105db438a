"""The kinds of values that settings have, read from TOML, the environment or the command line alike."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Any, NamedTuple


class HostPort(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def everywhere(self) -> bool:
        """A wildcard, which is no address that others could be told."""
        try:
            return ipaddress.ip_address(self.host).is_unspecified
        except ValueError:
            return False


class PortRange(NamedTuple):
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


class NumberRange(NamedTuple):
    """Telephone numbers from `first` to `last`, both E.164."""

    first: str
    last: str

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


class Wanted(ValueError):
    """What a value should have been, in words that end "is not …"."""


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION = 'a duration such as 90, "90s", "1m" or "4h"'


def read_duration(value: Any) -> Any:
    if isinstance(value, bool):
        raise Wanted(DURATION)
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)?\s*", value)
        if found is None:
            raise Wanted(DURATION)
        value = float(found[1]) * _UNITS[found[2] or "s"]
    if not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise Wanted(DURATION)
    return float(value)


def show_duration(seconds: float) -> str:
    """`90s`, `4h`, `500ms`: as short as it can be read back."""
    if seconds and seconds < 1:
        return f"{seconds * 1000:g}ms"
    if seconds >= 3600 and seconds % 3600 == 0:
        return f"{seconds / 3600:g}h"
    return f"{seconds:g}s"


def read_optional_duration(value: Any) -> Any:
    return None if value in (None, "off", "none", "") else read_duration(value)


def read_host_port(value: Any) -> Any:
    wanted = "HOST:PORT, for example 127.0.0.1:8060"
    if isinstance(value, HostPort):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Wanted(wanted)
    host, colon, port = value.strip().rpartition(":")
    if not colon:
        host = "127.0.0.1"
    host = host.removeprefix("[").removesuffix("]") or "0.0.0.0"
    if not re.fullmatch(r"\d{1,5}", port) or int(port) > 65535 or not re.fullmatch(r"[0-9A-Za-z.:_-]+", host):
        raise Wanted(wanted)
    return HostPort(host, int(port))


def read_port_range(value: Any) -> Any:
    wanted = "two ports such as 10000-19999, the first even and the second above it"
    if isinstance(value, PortRange):
        return value
    found = re.fullmatch(r"\s*(\d{1,5})\s*-\s*(\d{1,5})\s*", value) if isinstance(value, str) else None
    if found is None:
        raise Wanted(wanted)
    first, last = int(found[1]), int(found[2])
    if not 1024 <= first < last <= 65535 or first % 2:
        raise Wanted(wanted)
    return PortRange(first, last)


def read_number_range(value: Any) -> Any:
    wanted = "numbers such as +12065550100..+12065550149, both of the same length"
    if isinstance(value, NumberRange):
        return value
    found = re.fullmatch(r"\s*(\+\d{7,15})\s*(?:\.\.|-)\s*(\+\d{7,15})\s*", value) if isinstance(value, str) else None
    if found is None or len(found[1]) != len(found[2]) or found[1] > found[2]:
        raise Wanted(wanted)
    return NumberRange(found[1], found[2])


def read_address(value: Any) -> Any:
    if value in (None, ""):
        return None
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise Wanted("an address of this machine such as 203.0.113.7") from None


def read_list(value: Any) -> Any:
    """A TOML list; in the environment and on the command line words between commas or blanks, or JSON."""
    if isinstance(value, str):
        if value.lstrip().startswith(("[", "{")):
            try:
                value = json.loads(value)
            except ValueError:
                raise Wanted("a list: words between commas, or JSON") from None
        else:
            value = [word for word in re.split(r"[,\s]+", value) if word]
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list | tuple):
        raise Wanted("a list")
    return tuple(value)


def read_functions(value: Any) -> Any:
    """A TOML table; in the environment `NAME=SPEC` between commas, or JSON."""
    if isinstance(value, str):
        if value.lstrip().startswith("{"):
            try:
                value = json.loads(value)
            except ValueError:
                raise Wanted("functions: NAME=SPEC between commas, or JSON") from None
        else:
            pairs = [part.strip().partition("=") for part in value.split(",") if part.strip()]
            if any(not name or not equals or not spec for name, equals, spec in pairs):
                raise Wanted("functions: NAME=SPEC between commas, or JSON")
            value = {name: spec for name, _, spec in pairs}
    if not isinstance(value, dict):
        raise Wanted("a table of functions, NAME = SPEC")
    return {name: {"spec": spec} if isinstance(spec, str) else spec for name, spec in value.items()}


def read_countries(value: Any) -> Any:
    """Regions by their two letters, as `read_list`."""
    if value is None:
        return None
    words = read_list(value)
    if any(not isinstance(word, str) or re.fullmatch(r"[A-Za-z]{2}", word) is None for word in words):
        raise Wanted("a list of countries by their two letters, for example US, CA")
    return tuple(word.upper() for word in words)


def read_prefixes(value: Any) -> Any:
    """Beginnings of numbers, as `read_list`."""
    words = read_list(value)
    if any(not isinstance(word, str) or re.fullmatch(r"\+\d{1,15}", word) is None for word in words):
        raise Wanted("a list of beginnings of numbers, for example +1206, +4420")
    return words


def read_trunks(value: Any) -> Any:
    return tuple({"uri": one} if isinstance(one, str) else one for one in read_list(value))


def read_trunk_uri(value: Any) -> Any:
    wanted = "a SIP address such as sip:trunk.example.com or sip:192.0.2.9:5060"
    if not isinstance(value, str):
        raise Wanted(wanted)
    uri = value.strip()
    if ":" not in uri.partition(".")[0] and not uri.lower().startswith("sip"):
        uri = f"sip:{uri}"
    if not re.fullmatch(r"sips?:(?:[^@\s<>\"]+@)?(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?(?:;[^\s<>\"]*)?", uri, re.IGNORECASE):
        raise Wanted(wanted)
    return uri
