"""A function's SPEC as a setting: read by the one who serves it, with what is wrong told as an error of ours."""

from __future__ import annotations

from ..apps.function_spec import FunctionSpecError, parse_function
from ..errors import OutdialError
from ..model.ids import FunctionName
from ..model.workers import FunctionSpec


def function_spec(name: FunctionName, text: str, *, setting: str = "function") -> FunctionSpec:
    """Read a SPEC; its path is made absolute and not looked at. Raises `OutdialError` (`function`) for what is none."""
    try:
        return parse_function(name, text.strip())
    except FunctionSpecError as error:
        raise OutdialError("function", setting=setting, problem=str(error), mend=error.hint) from None
