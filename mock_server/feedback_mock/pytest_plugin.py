"""Fixtures for the tests of an SDK or a client: `feedback_mock`, a project of its own for each test.

Every pytest run in the environment loads this, so it imports the mock only when a fixture is used.
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
def feedback_mock(feedback_server: "Server", pytestconfig: pytest.Config) -> "Iterator[Sandbox]":
    """A project for one test, with its own credentials, events, feedback and a frozen clock: a `Sandbox`."""
    yield from _sandbox(feedback_server, pytestconfig)


@pytest.fixture(scope="class")
def feedback_mock_class(feedback_server: "Server", pytestconfig: pytest.Config) -> "Iterator[Sandbox]":
    """The same, shared by all tests of a class."""
    yield from _sandbox(feedback_server, pytestconfig)


@pytest.fixture(scope="session")
def feedback_mock_session(feedback_server: "Server", pytestconfig: pytest.Config) -> "Iterator[Sandbox]":
    """The same, for the whole run."""
    yield from _sandbox(feedback_server, pytestconfig)


def _sandbox(server: "Server", config: pytest.Config) -> "Iterator[Sandbox]":
    from feedback_mock.sandbox import Sandbox  # noqa: PLC0415 (only for those who use it)

    numbers = config.stash.setdefault(_NUMBERS, count(1))
    with Sandbox(server, "pytest", f"project-{next(numbers)}") as sandbox:
        yield sandbox
