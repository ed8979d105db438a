"""The simulated telephone network: a trunk and its subscribers, whose behaviour is data. Nothing of the product imports it."""

from .carrier import Carrier
from .subscribers import SUBSCRIBERS, Subscriber
from .values import CarrierSettings, Heard, Story, Told

__all__ = ["SUBSCRIBERS", "Carrier", "CarrierSettings", "Heard", "Story", "Subscriber", "Told"]
