"""A short life of a few projects at a time; `make soak` does this for half an hour."""

import asyncio

import httpx
import pytest
from feedback_mock.app import create_app
from feedback_mock.server import Server
from feedback_mock.store import Limits

from tests.soak.life import Figures, Life, Lost


async def lives(url: str, count: int) -> Figures:
    figures = Figures()
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        await asyncio.gather(*(Life(client, f"life-{each}", each, figures).live() for each in range(count)))
    return figures


def test_projects_that_live_at_a_time_lose_nothing() -> None:
    with Server() as server:
        figures = asyncio.run(lives(server.url, 3))

    assert figures.lives == 3
    assert {200, 409, 503} <= figures.statuses.keys()


def test_feedback_that_is_lost_is_seen() -> None:
    """By one alone: of several, the others would be cancelled, which anyio does not survive while they connect."""
    with Server(create_app(limits=Limits(feedback=3))) as server, pytest.raises(Lost, match="holds"):
        asyncio.run(lives(server.url, 1))
