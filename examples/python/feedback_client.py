"""The SDK under test, as small as possible: put yours in its place."""

from dataclasses import dataclass, field
from typing import Any

import httpx


class FeedbackError(Exception):
    """The feedback was not accepted."""


class TooLate(FeedbackError):
    """409: the event, or its earlier feedback, is too old."""


class Invalid(FeedbackError):
    """400: `errors` says what is wrong with each invalid field."""

    def __init__(self, errors: dict[str, Any]) -> None:
        super().__init__(f"The feedback is invalid: {errors}")
        self.errors = errors


@dataclass(frozen=True)
class FeedbackClient:
    """Submits feedback for one project; `authorization` is `Bearer <token>` or `DSN <dsn>`."""

    base_url: str
    organization: str
    project: str
    authorization: str
    http: httpx.Client = field(default_factory=httpx.Client)

    def submit(self, event_id: str, name: str, email: str, comments: str) -> dict[str, Any]:
        """The feedback as stored. Retries once if the network fails: within 5 minutes, that is safe."""
        body = {"event_id": event_id, "name": name, "email": email, "comments": comments}
        try:
            response = self._post(body)
        except httpx.TransportError:
            response = self._post(body)
        if response.status_code == 409:
            raise TooLate(response.json()["detail"])
        if response.status_code == 400:
            raise Invalid(response.json())
        response.raise_for_status()
        stored: dict[str, Any] = response.json()
        return stored

    def _post(self, body: dict[str, str]) -> httpx.Response:
        return self.http.post(
            f"{self.base_url}/api/0/projects/{self.organization}/{self.project}/user-feedback/",
            json=body,
            headers={"Authorization": self.authorization},
        )
