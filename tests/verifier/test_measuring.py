"""Measurements before a run never prevent it."""

from feedback_spec.document import Document
from feedback_verify.preflight import look
from feedback_verify.targets import ControlTarget
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.broken.server import Implementation, Project
from tests.broken.serving import serving


class ListsNothingThatIsFeedback(Implementation):
    """Its list contains strings: a violation that a rule must report."""

    def listing(self, request: Request, project: Project) -> Response:
        return JSONResponse(["feedback"])


def test_list_that_is_none_is_left_to_the_run(document: Document) -> None:
    with serving(ListsNothingThatIsFeedback().app()) as url, ControlTarget(url, url) as target:
        look(target, document)

        assert target.settling.lags == {}
