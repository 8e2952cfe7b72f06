"""What the verifier can be pointed at. The only place that holds an HTTP client."""

from contract_tests.targets.base import NotReachable, Project, ProtocolError, Target
from contract_tests.targets.control import ControlTarget
from contract_tests.targets.url import UrlTarget

__all__ = ["ControlTarget", "NotReachable", "Project", "ProtocolError", "Target", "UrlTarget"]
