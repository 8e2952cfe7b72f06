"""What the verifier can be pointed at. The only place that holds an HTTP client."""

from contract_tests.targets.app import AppTarget
from contract_tests.targets.base import Connection, NotReachable, Project, ProtocolError, Target, Unsendable
from contract_tests.targets.control import ControlTarget
from contract_tests.targets.process import MissingLibrary, ProcessTarget
from contract_tests.targets.seeding import CommandSeeder, IngestSeeder, StateSeeder
from contract_tests.targets.url import UrlTarget

__all__ = [
    "AppTarget",
    "CommandSeeder",
    "Connection",
    "ControlTarget",
    "IngestSeeder",
    "MissingLibrary",
    "NotReachable",
    "ProcessTarget",
    "Project",
    "ProtocolError",
    "StateSeeder",
    "Target",
    "Unsendable",
    "UrlTarget",
]
