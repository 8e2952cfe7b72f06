"""An SDK by openapi-python-client: every response is an instance of the document's schema."""

# mypy: disable-error-code="import-not-found"
# (The package is generated; mypy checks this file once more where it is there.)

from typing import Any

from generated_sdk import AuthenticatedClient
from generated_sdk.api.user_feedback import submit_user_feedback
from generated_sdk.models import FieldErrors, Problem, UserFeedback, UserFeedbackSubmission
from story import Place, tell


def submit(place: Place, event_id: str, email: str, comments: str) -> dict[str, Any]:
    """Submits, and says what type came back."""
    client = AuthenticatedClient(base_url=place.url, token=place.credential, prefix=place.scheme)
    body = UserFeedbackSubmission(event_id=event_id, name="Jane Smith", email=email, comments=comments)
    response = submit_user_feedback.sync_detailed(place.organization, place.project, client=client, body=body)
    status = int(response.status_code)
    match response.parsed:
        case UserFeedback() as feedback:
            return {"status": status, "id": feedback.id, "comments": feedback.comments}
        case Problem() as problem:
            return {"status": status, "detail": problem.detail}
        case FieldErrors() as errors:
            return {"status": status, "errors": errors.to_dict()}
    raise AssertionError(response)


tell(submit)
