"""A client of feedback-mock's control protocol, for tests whose mock runs in another process or a container."""

from feedback_mock_client.control import AsyncControl, AsyncControlProject, Control, ControlError, ControlProject
from feedback_mock_client.sandbox import AsyncSandbox, Sandbox

__all__ = [
    "AsyncControl",
    "AsyncControlProject",
    "AsyncSandbox",
    "Control",
    "ControlError",
    "ControlProject",
    "Sandbox",
]
