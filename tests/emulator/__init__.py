"""A strict stand-in for the Google services that pull-secret talks to."""

from . import errors
from .emulator import Emulator
from .faults import Fault
from .wire import Reply

__all__ = ["Emulator", "Fault", "Reply", "errors"]
