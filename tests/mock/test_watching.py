"""`--watch`: a changed document is served with the state that there is, a broken one is not."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from feedback_mock.app import create_app
from feedback_mock.command.log import Said
from feedback_mock.command.watching import Watching
from feedback_mock.store import Limits
from feedback_spec.document import load
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from tests.mock.conftest import EVENT, Api
from tests.mock.test_cli import assert_cannot_start, end, ready_line, running

PAGE = (Path(__file__).parents[2] / "spec" / "openapi.yaml").read_text("utf-8")


def longer(text: str) -> str:
    """The page's document with ten minutes to overwrite in place of five, and rows that say so."""
    return text.replace("limit: PT5M", "limit: PT10M").replace("PT5M", "PT10M")


class Watched:
    """A mock of a file, which is looked at whenever a test wants it to be."""

    def __init__(self, path: Path, make_api: Any, **options: Any) -> None:
        path.write_text(PAGE, "utf-8")
        self.path, self.said = path, list[Said]()
        self.api: Api = make_api(create_app(load(path), **options))
        mock = self.api.mock
        self.watching = Watching(
            path, mock, lambda: create_app(load(path), state=mock, **options), lambda line: self.said.append(line())
        )

    def write(self, text: str) -> None:
        self.path.write_text(text, "utf-8")
        self.api.runner.run(self.watching.reload())


@pytest.fixture
def watched(tmp_path: Path, make_api: Any) -> Watched:
    return Watched(tmp_path / "openapi.yaml", make_api)


def test_changed_document_is_served_with_the_state_that_there_is(watched: Watched) -> None:
    api = watched.api
    first = api.submit()
    api.advance("PT6M")
    late = api.submit()
    watched.write(longer(PAGE))
    again = api.submit(name="John")

    assert (late.status_code, again.status_code) == (409, 200)
    assert again.json()["id"] == first.json()["id"]
    assert len(api.control("GET", "/requests").json()["entries"]) == 3
    assert watched.said[-1].text == "feedback-mock: openapi.yaml has changed; serving the new version."


def test_streams_end_and_clients_open_them_again(watched: Watched) -> None:
    """What they tell is by the previous document."""
    told: list[bytes] = []

    async def follow() -> None:
        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            told.append(message.get("body", b""))
            if message.get("body", b"").startswith(b"event: project"):
                await watched.watching.reload()

        path = "/_control/projects/acme/web/stream"
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "http_version": "1.1"}
        await watched.api.mock({**scope, "headers": [(b"host", b"127.0.0.1")]}, receive, send)

    watched.api.runner.run(asyncio.wait_for(follow(), 10))
    assert told[-1] == b""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PAGE.replace("limit: PT5M", "limit: 5 minutes"), "5 minutes"),
        ("openapi: [", "is not YAML"),
        (PAGE.replace("operationId: submitUserFeedback", "operationId: another"), "submitUserFeedback"),
    ],
)
def test_broken_document_is_told_and_the_previous_one_stays(watched: Watched, text: str, says: str) -> None:
    watched.write(text)
    stays = watched.api.submit().status_code
    watched.write(PAGE)

    assert says in watched.said[0].text
    assert watched.said[0].text.endswith("The mock continues with the previous document.")
    assert stays == 200
    assert watched.said[1].text.endswith("serving the new version.")


def test_a_pipe_in_the_place_of_the_document_is_not_read(watched: Watched) -> None:
    """Nobody may ever write to it; a mock that waited for that could not be stopped."""
    watched.path.unlink()
    os.mkfifo(watched.path)
    watched.api.runner.run(watched.watching.reload())
    watched.path.unlink()
    watched.write(PAGE)

    assert "openapi.yaml: is not a regular file." in watched.said[0].text
    assert watched.said[1].text.endswith("serving the new version.")


def test_project_for_which_there_is_no_room_is_told(tmp_path: Path, make_api: Any) -> None:
    watched = Watched(tmp_path / "openapi.yaml", make_api, limits=Limits(projects=2))
    watched.write(PAGE.replace("the-interstellar-jurisdiction", "another-organization"))

    assert "there is no room for its project another-organization/plain-proxy" in watched.said[0].text


def test_file_that_is_still_written_is_not_read_yet(watched: Watched) -> None:
    """What is different at every look is looked at again."""

    async def look() -> int:
        watched.watching.look()
        task = watched.watching._task
        if task is not None:
            await task
        return len(watched.said)

    seen = []
    for text in ("openapi:", "openapi: 3", longer(PAGE), longer(PAGE)):
        watched.path.write_text(text, "utf-8") if text != watched.path.read_text("utf-8") else None
        seen.append(watched.api.runner.run(look()))

    assert seen == [0, 0, 0, 1]
    assert watched.said[0].text.endswith("serving the new version.")


@retry(retry=retry_if_result(lambda status: status != 200), stop=stop_after_delay(20), wait=wait_fixed(0.2))
def until_overwritten(url: str, headers: dict[str, str], body: dict[str, str]) -> int:
    return httpx.post(url, headers=headers, json=body).status_code


def test_command_watches(tmp_path: Path) -> None:
    path = tmp_path / "openapi.yaml"
    path.write_text(PAGE, "utf-8")
    with running("--log-format", "json", "--quiet", "--clock", "frozen", "--spec", str(path), "--watch") as process:
        ready = ready_line(process)
        url = f"{ready['url']}/api/0/projects/{ready['organization']}/{ready['project']}/user-feedback/"
        headers = {"Authorization": f"Bearer {ready['token']}"}
        body = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
        httpx.post(url, headers=headers, json=body)
        clock = f"{ready['control']}/projects/{ready['organization']}/{ready['project']}/clock/advance"
        httpx.post(clock, json={"duration": "PT6M"})
        late = httpx.post(url, headers=headers, json=body).status_code
        path.write_text(longer(PAGE), "utf-8")
        until_overwritten(url, headers, body)
        code, _, err = end(process, signal.SIGTERM)

    assert (late, code) == (409, 0)
    assert "openapi.yaml has changed; serving the new version." in err


@pytest.mark.parametrize("more", [[], ["--spec", "x.yaml", "--store", "redis://127.0.0.1:1"]])
def test_only_a_file_can_be_watched_and_only_in_memory(capsys: Any, more: list[str]) -> None:
    assert_cannot_start(capsys, ["--watch", *more], "--watch requires --spec, and --store memory")
