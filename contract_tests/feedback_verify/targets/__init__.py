"""What the verifier can be pointed at. The only package with an HTTP client."""

from feedback_verify.targets.app import AppTarget
from feedback_verify.targets.base import Connection, ProtocolError, Target, read_dsn
from feedback_verify.targets.control import ControlTarget
from feedback_verify.targets.network import Network, Unsendable
from feedback_verify.targets.process import MissingLibrary, ProcessTarget
from feedback_verify.targets.seeding import CommandSeeder, IngestSeeder, StateSeeder
from feedback_verify.targets.sending import LATE, NotReachable, Stopped, Trouble
from feedback_verify.targets.url import UrlTarget

__all__ = [
    "LATE",
    "AppTarget",
    "CommandSeeder",
    "Connection",
    "ControlTarget",
    "IngestSeeder",
    "MissingLibrary",
    "Network",
    "NotReachable",
    "ProcessTarget",
    "ProtocolError",
    "StateSeeder",
    "Stopped",
    "Target",
    "Trouble",
    "Unsendable",
    "UrlTarget",
    "read_dsn",
]
