"""Changes JSON data: puts anything anywhere, or removes it. Knows no schema."""

import copy
from typing import Any

from hypothesis import strategies as st

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 2**31, 2**53, 2**63, 10**30, 0.5, -1e308, 1e-9]),
    st.integers(-2, 2**40),
    st.sampled_from(["", " ", "x", "a" * 32, "A" * 33, "a\nb", "\0", "é\u202e", "x" * 3_000]),
    st.sampled_from(["until_released", "<b>", "*", "acme", "POST", "after"]),
    st.sampled_from(["PT0S", "PT5M", "-PT1S", "PT0.0000001S", "P1Y", "PT" + "9" * 20 + "S", "P1D"]),
    st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T23:59:60Z"]),
    st.sampled_from(["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"]),
    st.text(max_size=8),
)
STRANGE_KEYS = ("x", "", "0", "01", "-1", "a/b", "~1", "a.b", "__proto__", "x" * 3_000)
"""Keys that a path to a value may lose or take for something else."""
KEYS = st.text(max_size=8) | st.sampled_from(STRANGE_KEYS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every place in JSON data where a value can be: container and key."""
    found = []
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        found.append((node, key))
        found += places(value)
    return found


@st.composite
def changed(draw: st.DrawFn, value: Any, values: st.SearchStrategy[Any] = VALUES, most: int = 3) -> Any:
    """The value with up to `most` changes."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(0, most))):
        spots = places(value)
        if not spots:
            return draw(values)
        container, key = spots[draw(st.integers(0, len(spots) - 1))]
        match draw(st.sampled_from(("put", "put", "delete", "add"))):
            case "put":
                container[key] = copy.deepcopy(draw(values))  # as a later change may be in it
            case "delete":
                del container[key]
            case "add" if isinstance(container, dict):
                container[draw(KEYS)] = copy.deepcopy(draw(values))
            case "add":
                container.insert(key, copy.deepcopy(draw(values)))
    return value
