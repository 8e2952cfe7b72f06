"""Imports Connexion without what it imports and the mock never calls, which would double the startup time.

Connexion loads an HTTP client for OAuth, another for remote `$ref`s, Jinja2 for templates of documents, a validator of
JSON schemas, and starlette's test client. Nothing is replaced for good: anyone who imports `connexion` or any of these
later gets all of it, as a separate copy. Must not know what it is used for.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, Self

NOT_CALLED = (
    "httpx",
    "jinja2",
    "jsonschema",
    "jsonschema.exceptions",
    "jsonschema.validators",
    "requests",
    "urllib.request",
)


class Unused:
    """Stands for a value that is imported, called, indexed or inherited from while modules load, and has no effect."""

    def __call__(self, *_: object, **__: object) -> Self:
        return self

    def __getattr__(self, _: str) -> Self:
        return self

    def __getitem__(self, _: object) -> Self:
        return self

    def __mro_entries__(self, _: tuple[object, ...]) -> tuple[type, ...]:
        return ()


class StandIn(ModuleType):
    """A module from which anything can be imported, unused."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Unused()


@contextmanager
def deferred(package: str, *inner: str, not_called: tuple[str, ...] = NOT_CALLED) -> Iterator[None]:
    """Within this context, `package` and its `inner` packages are importable only by submodule, and modules that are
    never called are stand-ins unless already loaded.

    Does nothing if the package is already loaded.
    """
    spec = None if package in sys.modules else find_spec(package)
    if spec is None:
        yield
        return
    not_yet = [StandIn(name) for name in not_called if name not in sys.modules]
    sys.modules.update({module.__name__: module for module in not_yet})
    # The packages with their paths, but without running their `__init__`, which imports everything.
    sys.modules[package] = module_from_spec(spec)
    for name in inner:
        found = find_spec(name)
        assert found is not None
        sys.modules[name] = module_from_spec(found)
    try:
        yield
    finally:
        for name, module in list(sys.modules.items()):
            if module in not_yet or name == package or name.startswith(f"{package}."):
                del sys.modules[name]
