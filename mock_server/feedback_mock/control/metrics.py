"""The control protocol's metrics: the counts in Prometheus text format. Counts nothing itself."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from feedback_mock.asgi import Answer
from feedback_mock.control.handlers import ControlRequest
from feedback_mock.control.operation import ControlOperation
from feedback_mock.control.rendering import render
from feedback_mock.exchange import Exchange
from feedback_mock.result import Done, Result
from feedback_mock.store import Store
from feedback_mock.tally import BUCKETS

METRICS = "controlMetrics"
_SECOND = 1_000_000


class Metrics:
    """The metrics of one store, collected when they are requested."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, _: ControlRequest) -> Result:
        """All metrics as text."""
        # Not at the top: no start should wait for what few clients request.
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 (see above)

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return Done(generate_latest(registry))

    def collect(self) -> Iterator[Any]:
        """The interface that a registry of prometheus-client expects."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily  # noqa: PLC0415 (as above)

        tally, projects = self._store.counted, tuple(self._store)
        answers = CounterMetricFamily(
            "feedback_mock_requests",
            "Requests to the API that were answered; status 0: not answered.",
            labels=("rule", "status"),
        )
        for (rule, status), count in sorted(tally.answers.items()):
            answers.add_metric((rule, str(status)), count)
        yield answers
        histograms = [("request", "Time from a request's head to the response.", tally)]
        if self._store.round_trips is not None:
            histograms.append(("redis_round_trip", "Time of a round trip to Redis.", self._store.round_trips))
        bounds = [*(str(each / _SECOND) for each in BUCKETS), "+Inf"]
        for name, meaning, counted in histograms:
            yield HistogramMetricFamily(
                f"feedback_mock_{name}_seconds",
                meaning,
                buckets=list(zip(bounds, accumulate(counted.took), strict=True)),
                sum_value=counted.microseconds / _SECOND,
            )
        for name, meaning, value in (
            ("projects", "Current projects.", len(projects)),
            (
                "journal_requests",
                "Requests kept in the journals.",
                sum(len(each.journal.entries) for each in projects),
            ),
            ("journal_bytes", "Bytes of all journals together.", self._store.room.used),
            ("feedback_records", "Feedback kept in all projects.", sum(len(each.feedback) for each in projects)),
            ("feedback_bytes", "Bytes of all feedback together.", self._store.feedback_room.used),
            ("faults", "Faults of all projects.", sum(len(each.faults.rules) for each in projects)),
        ):
            yield GaugeMetricFamily(f"feedback_mock_{name}", meaning, value)


class MetricsOperation(ControlOperation):
    """Answers the operation METRICS: refuses like any other, otherwise responds with text."""

    def render(self, exchange: Exchange, result: Result) -> Answer:
        """The text, with the media type of prometheus-client."""
        if not isinstance(result, Done):
            return render(result)
        from prometheus_client import CONTENT_TYPE_LATEST  # noqa: PLC0415 (as above)

        body = result.value
        assert isinstance(body, bytes)
        headers = [each for each in render(Done(None)).headers if each[0] != b"content-length"]
        kind = (b"content-type", CONTENT_TYPE_LATEST.encode())
        return Answer(200, [(b"content-length", b"%d" % len(body)), kind, *headers], body)

    def _check(self, status: int, value: Any) -> None:
        """Text has no schema."""
