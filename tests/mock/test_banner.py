"""The text that `feedback-mock` prints when it is ready."""

import pytest
from feedback_mock.app import create_app
from feedback_mock.command.banner import banner
from feedback_mock.command.ready import ready_data


@pytest.mark.parametrize("url", ["http://127.0.0.1:35077", "http://[fd00::1]:8080"])
@pytest.mark.parametrize("columns", ["20", "160"])
def test_the_address_is_on_the_first_line_as_it_is(url: str, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither wrapped in a narrow terminal, nor read as markup."""
    monkeypatch.setenv("COLUMNS", columns)
    mock = create_app()

    lines = banner(mock, ready_data(mock, url, control=True, token=None, elsewhere=None), None).splitlines()

    assert lines[0] == f"The Submit User Feedback mock is listening on {url}"
    assert lines[-1] == "Press Ctrl-C to stop."
