"""The files in deploy/ name existing flags, paths and metrics; they were validated with Kubernetes' own schema by
hand.
"""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click import Context
from feedback_mock.app import create_app
from feedback_mock.command.options import command

DEPLOY = Path(__file__).parents[1] / "deploy"


def asked(path: str, **headers: str) -> httpx.Response:
    """The response of a mock that requires a control token."""

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(control_token="a-control-token"))
        async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.7:8080") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(get())


def pod(kind: str, name: str) -> dict[str, Any]:
    manifests = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8"))
    found = next(each for each in manifests if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return dict(found["spec"]["template"]["spec"])


def container(kind: str, name: str) -> dict[str, Any]:
    (only,) = pod(kind, name)["containers"]
    return dict(only)


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes.yaml"])
def test_variables_are_flags_of_the_mock(name: str) -> None:
    named = set(re.findall(r"FEEDBACK_MOCK_(\w+)", (DEPLOY / name).read_text("utf-8")))

    assert {"STORE", "CONTROL_TOKEN"} <= named
    assert named <= {str(each.name).upper() for each in command.get_params(Context(command))}


def test_probe_is_answered_without_a_token() -> None:
    probe = container("Deployment", "feedback-mock")["readinessProbe"]["httpGet"]

    assert asked(probe["path"]).status_code == 200
    assert asked("/_control/metrics").status_code == 401


def test_mock_starts_although_its_service_has_the_name_of_its_variables() -> None:
    """Kubernetes would set FEEDBACK_MOCK_PORT=tcp://…, which the mock refuses as a port."""
    assert pod("Deployment", "feedback-mock")["enableServiceLinks"] is False


def test_mocks_reach_the_redis_that_is_there_and_nobody_else_does() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    mock = container("Deployment", "feedback-mock")
    url = next(each["value"] for each in mock["env"] if each["name"] == "FEEDBACK_MOCK_STORE")

    assert url == "redis://feedback-mock-redis:6379/0"
    assert container("StatefulSet", "feedback-mock-redis")["ports"][0]["containerPort"] == 6379
    assert compose["services"]["mock-1"]["environment"]["FEEDBACK_MOCK_STORE"] == "redis://redis:6379/0"
    assert compose["networks"]["redis"]["internal"]
    assert "ports" not in compose["services"]["redis"]


def test_dashboard_shows_metrics_that_there_are() -> None:
    """All of them, except those of Redis on a mock without it."""
    panels = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    shown = {
        re.sub(r"_(bucket|count|total)$", "", each) for each in re.findall(r"feedback_mock_\w+", " ".join(queries))
    }
    text = asked("/_control/metrics", authorization="Bearer a-control-token").text
    told = {re.sub(r"_total$", "", each) for each in re.findall(r"^# TYPE (\w+)", text, re.M)}

    assert shown == {*told, "feedback_mock_redis_round_trip_seconds"}
