"""An SDK by OpenAPI Generator in Python: a refusal is an exception for its status, with typed data."""

# mypy: disable-error-code="import-not-found"
# (The package is generated; mypy checks this file once more where it is there.)

from typing import Any, TypeVar

from generated_sdk import (
    ApiClient,
    Configuration,
    Problem,
    SubmitUserFeedback400Response,
    UserFeedbackApi,
    UserFeedbackSubmission,
)
from generated_sdk.exceptions import BadRequestException, ConflictException
from story import Place, tell

T = TypeVar("T")


def typed(data: object, expected: type[T]) -> T:
    """The data, which must be of the type."""
    if not isinstance(data, expected):
        raise TypeError(data)
    return data


def submit(place: Place, event_id: str, email: str, comments: str) -> dict[str, Any]:
    """Submits, and says what came back."""
    if place.scheme == "DSN":
        configuration = Configuration(host=place.url, api_key={"dsn": place.credential}, api_key_prefix={"dsn": "DSN"})
    else:
        configuration = Configuration(host=place.url, access_token=place.credential)
    submission = UserFeedbackSubmission(event_id=event_id, name="Jane Smith", email=email, comments=comments)
    with ApiClient(configuration) as client:
        try:
            feedback = UserFeedbackApi(client).submit_user_feedback(place.organization, place.project, submission)
        except ConflictException as refused:
            return {"status": refused.status, "detail": typed(refused.data, Problem).detail}
        except BadRequestException as refused:
            return {"status": refused.status, "errors": typed(refused.data, SubmitUserFeedback400Response).to_dict()}
    return {"status": 200, "id": feedback.id, "comments": feedback.comments}


tell(submit)
