"""What the verifier can be pointed at. The only place that holds an HTTP client."""

from feedback_verify.targets.app import AppTarget
from feedback_verify.targets.base import Connection, NotReachable, ProtocolError, Target, Unsendable, read_dsn
from feedback_verify.targets.control import ControlTarget
from feedback_verify.targets.process import MissingLibrary, ProcessTarget
from feedback_verify.targets.seeding import CommandSeeder, IngestSeeder, StateSeeder
from feedback_verify.targets.url import UrlTarget

__all__ = [
    "AppTarget",
    "CommandSeeder",
    "Connection",
    "ControlTarget",
    "IngestSeeder",
    "MissingLibrary",
    "NotReachable",
    "ProcessTarget",
    "ProtocolError",
    "StateSeeder",
    "Target",
    "Unsendable",
    "UrlTarget",
    "read_dsn",
]
