"""The mock server: the document's operations, with projects as sandboxes and a clock that tests can move.

The names exported here are the public interface, described in docs/python.md. They are imported on first use, so
`import feedback_mock` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedback_mock.app import create_app
    from feedback_mock.mock import Mock
    from feedback_mock.sandbox import JournaledRequest, Sandbox, SavedEvent, StoredFeedback
    from feedback_mock.server import Server

__all__ = ["JournaledRequest", "Mock", "Sandbox", "SavedEvent", "Server", "StoredFeedback", "create_app"]

_MODULES = {
    "JournaledRequest": "sandbox",
    "Mock": "mock",
    "Sandbox": "sandbox",
    "SavedEvent": "sandbox",
    "Server": "server",
    "StoredFeedback": "sandbox",
    "create_app": "app",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
