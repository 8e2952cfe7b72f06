"""The bill of materials lists everything installed, and everything installed has a hash and a licence."""

import json
import re

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.supply.contents import LOCK, ROOT, bill_of_materials, licences, locked


def test_bill_of_materials_is_cyclonedx_and_names_everything() -> None:
    bill = bill_of_materials()
    components = {each["name"]: each for each in bill["components"]}
    hashed = {
        name: [each["hashes"] for each in component.get("externalReferences", component.get("components"))]
        for name, component in components.items()
    }

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    assert components.keys() == {*locked(), "swagger-ui-dist"}
    assert all(hashes and all(hashes) for hashes in hashed.values())


def test_everything_has_a_licence() -> None:
    rows = [row.strip("|").split("|") for row in licences().splitlines()[2:]]

    assert len(rows) > 60
    assert [name for name, licence in rows if not licence.strip() or "UNKNOWN" in licence] == []


@pytest.mark.parametrize("lock", sorted(path.name for path in LOCK.parent.glob("*.lock")))
def test_lock_files_have_a_hash_for_everything(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements" / lock).read_text("utf-8").strip())

    assert [each for each in entries if "--hash=sha256:" not in each] == []
