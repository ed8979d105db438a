"""Settings as read from outside: `load` gives a `Config`, frozen and checked, or an error that names what is wrong, where, and how to mend.

Cores are given the plain values of `model.settings`, made by the methods of `Config`.
"""

from ..errors import ConfigError
from .functions import function_spec
from .kinds import HostPort, NumberRange, PortRange
from .load import load
from .settings import Config, FunctionSetting, TrunkSetting

__all__ = ["Config", "ConfigError", "FunctionSetting", "HostPort", "NumberRange", "PortRange", "TrunkSetting", "function_spec", "load"]
