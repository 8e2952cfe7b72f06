"""Fixtures for the tests of an SDK or a client: `feedback_mock`, a project of its own for each test.

Every pytest of an environment loads this, so it imports the mock only when a fixture is asked for.
"""

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from feedback_mock.sandbox import Sandbox
    from feedback_mock.server import Server

_NUMBERS = pytest.StashKey[Iterator[int]]()


@pytest.fixture(scope="session")
def feedback_server() -> "Iterator[Server]":
    """One mock server for the whole run, on a free port of 127.0.0.1."""
    from feedback_mock.server import Server  # noqa: PLC0415 (only for those who use it)

    with Server() as server:
        yield server


@pytest.fixture
def feedback_mock(feedback_server: "Server", request: pytest.FixtureRequest) -> "Iterator[Sandbox]":
    """A project with its own credentials, events, feedback and a frozen clock; see `feedback_mock.sandbox.Sandbox`."""
    from feedback_mock.sandbox import Sandbox  # noqa: PLC0415 (only for those who use it)

    numbers = request.config.stash.setdefault(_NUMBERS, count(1))
    sandbox = Sandbox.on(feedback_server, "pytest", f"project-{next(numbers)}")
    yield sandbox
    sandbox.delete()
