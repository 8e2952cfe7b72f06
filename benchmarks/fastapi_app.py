"""FastAPI with the same logic; pydantic validates requests and responses. `benchmarks.peers` installs it."""

from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Response  # type: ignore[import-not-found]  # only in the folder of the peers
from pydantic import BaseModel, Field

from benchmarks.logic import HEADERS, PATH, TOKEN, submit

app = FastAPI()


class Feedback(BaseModel):
    """The body of a submission."""

    event_id: str = Field(min_length=1, max_length=32)
    name: str = Field(min_length=1, max_length=128)
    email: str = Field(min_length=1, max_length=75)
    comments: str = Field(min_length=1)


class Event(BaseModel):
    """The event that feedback refers to."""

    id: str
    eventID: str  # noqa: N815 (as in the document)


class Stored(BaseModel):
    """The response."""

    id: str
    eventID: str  # noqa: N815 (as in the document)
    name: str
    email: str
    comments: str
    dateCreated: str  # noqa: N815 (as in the document)
    event: Event
    issue: None
    user: None


@app.post(PATH, response_model=Stored)  # type: ignore[untyped-decorator]  # as above
async def post(feedback: Feedback, authorization: Annotated[str, Header()], response: Response) -> Any:
    """POST."""
    if authorization != f"Bearer {TOKEN}":
        raise HTTPException(401, "Invalid token")
    response.headers.update(dict(HEADERS))
    response.status_code, answer = submit(feedback.model_dump())
    return answer
