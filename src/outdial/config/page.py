"""Every setting as a page of the documentation."""

from __future__ import annotations

from typing import Any

from .kinds import show_duration
from .settings import Config, FunctionSetting, TrunkSetting


def settings_page() -> str:
    """Every setting as a page of the documentation."""
    out = [
        "# Settings",
        "",
        "A setting stands in `outdial.toml`, in the environment as `OUTDIAL_` and its name in capitals, or on the command line of",
        "`outdial up`; the later wins. Durations are seconds, or text such as `90s`, `4h`. An unknown name is an error.",
        "`outdial config check` looks at all of them without starting anything.",
        "",
        "| setting | default | what it does |",
        "|---|---|---|",
    ]
    for name, info in Config.model_fields.items():
        out.append(f"| `{name}` | {_shown(info.default)} | {info.description} |")
    for title, model in (("trunk", TrunkSetting), ("function", FunctionSetting)):
        out += ["", f"A `{title}` that is a table has:", "", "| key | default | what it does |", "|---|---|---|"]
        for name, info in model.model_fields.items():
            out.append(f"| `{name}` | {'' if info.is_required() else _shown(info.default)} | {info.description} |")
    return "\n".join([*out, ""])


def _shown(value: Any) -> str:
    if value is None or value in ((), {}, ""):
        return ""
    if isinstance(value, float):
        return f"`{show_duration(value)}`"
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
