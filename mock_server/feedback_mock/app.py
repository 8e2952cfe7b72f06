"""Builds the application: the documents' operations, the store behind them, and the responses where there is no route.

The table of contents of this package. Starts no server and reads no environment.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from feedback_spec.document import SUBMIT, Document, load, load_control, load_ingest
from feedback_spec.operations import operations_of
from feedback_spec.source import DocumentError
from feedback_spec.validity import Validity

from feedback_mock.asgi import ASGIApp
from feedback_mock.clock import Source, system_time
from feedback_mock.control.events import EVENT_HANDLERS
from feedback_mock.control.faults import FAULT_HANDLERS
from feedback_mock.control.guard import Guard
from feedback_mock.control.handlers import HEALTH, PROJECTS, ControlHandlers
from feedback_mock.control.metrics import METRICS, Metrics, MetricsOperation
from feedback_mock.control.operation import ControlOperation
from feedback_mock.control.requests import RequestHandlers
from feedback_mock.control.sleeping import CLOCK_HANDLERS, SLEEP, SleepOperation
from feedback_mock.control.snapshot import SnapshotHandlers
from feedback_mock.control.stream import STREAM, News, StreamOperation, at_once, open_stream
from feedback_mock.description import describe
from feedback_mock.effects import FAULT_RULE
from feedback_mock.elsewhere import NotFound, OtherMethods
from feedback_mock.feedback.handlers import FeedbackHandlers
from feedback_mock.feedback.operation import FeedbackOperation
from feedback_mock.feedback.rate import RateLimit
from feedback_mock.feedback.rendering import Rendering
from feedback_mock.following import FOLLOW
from feedback_mock.ingest.operation import decode, ingest_operations
from feedback_mock.ingest.rendering import SAID
from feedback_mock.mock import Mock
from feedback_mock.page.site import Site
from feedback_mock.routes.router import Routed, route
from feedback_mock.store import Limits, Project, Store

if TYPE_CHECKING:
    from feedback_mock.shared.sharing import Sharing

DEFAULT_HOST = "127.0.0.1:8080"


def create_app(
    document: Document | None = None,
    *,
    control: bool = True,
    clock: Source = system_time,
    running: bool = True,
    limits: Limits | None = None,
    host: str = DEFAULT_HOST,
    rate_limit: RateLimit | None = None,
    control_token: str | None = None,
    allow_hosts: Collection[str] = (),
    secret: str = "",
    redis: str | None = None,
    state: Mock | None = None,
) -> Mock:
    """The mock of a document, by default the packaged one, ready to serve; it needs no lifespan.

    `clock` returns microseconds since 1970 UTC; `running` says whether projects start with a running clock; `host` is
    the `host:port` in DSNs if the client doesn't name a host; `rate_limit` is the hosted service's, for a document that
    has one. With a `control_token`, only clients that send it may use the control protocol; without one, anyone who
    addresses this machine or a name in `allow_hosts` may. `secret` is part of all credentials.

    `redis` is the URL of a Redis that stores the projects, shared by all mocks of the same document. Projects can be
    reached over HTTP only then, and their clocks follow the clock of Redis. Or `state` is a mock with the same options,
    whose projects this one continues.

    Raises DocumentError for a document that the mock does not support.
    """
    document = document or load()
    made_at, names = PROJECTS if control else "", _default_project(document)
    store = state.store if state else Store(clock, running=running, limits=limits, made_at=made_at, secret=secret)
    sharing = None
    if redis is not None:
        from feedback_mock.shared.sharing import Sharing  # noqa: PLC0415 (which needs an extra of the distribution)

        sharing = Sharing(redis, names, document, rate_limit, store)
        store = sharing.store
    rendering = Rendering(document)
    ingest, controls = Routed("ingest.yaml", load_ingest()), Routed("control.yaml", load_control())
    guard = Guard(control_token, allow_hosts)
    control_operations = _control_operations(document, controls, ingest, store, host, guard, sharing)
    documents = [
        Routed(document.name, document.openapi, document.behaviour.methods is None, _aliases(document)),
        ingest,
        controls if control else _only(HEALTH, controls),
    ]
    operations: dict[str, ASGIApp] = {
        **_feedback_operations(document, rendering, store, rate_limit),
        **ingest_operations(ingest.openapi, document, store),
        **(control_operations if control else {HEALTH: control_operations[HEALTH]}),
    }
    others: Callable[[str], ASGIApp] = OtherMethods(document, controls.openapi, ingest.openapi, rendering, store)
    nowhere: ASGIApp = NotFound(document, rendering, store)
    if sharing is not None:
        operations, others, nowhere = sharing.served(operations, others, nowhere)
    if control:
        shown = {"openapi": document.openapi, "control": controls.openapi, "ingest": ingest.openapi}
        nowhere = Site(shown, nowhere)
    application = route(documents, operations, others, nowhere)
    return Mock(document, store, _made(document, store, *names), application, control_operations, sharing)


def _feedback_operations(
    document: Document, rendering: Rendering, store: Store, rate_limit: RateLimit | None
) -> dict[str, FeedbackOperation]:
    if rate_limit is not None and not document.behaviour.rate_limit:
        raise DocumentError(f"{document.name}: this server has no rate limit; the profile sentry-latest has one.")
    handlers = FeedbackHandlers(document).table
    described = describe(document.name, document.openapi, document.submit.extensions["x-max-body-bytes"])
    for name in described.keys() - handlers.keys():
        raise DocumentError(f'{document.name}: the mock has no operation "{name}".')
    return {
        name: FeedbackOperation(document, each, handlers[name], rendering, store, rate_limit)
        for name, each in described.items()
    }


def _control_operations(
    document: Document,
    controls: Routed,
    ingest: Routed,
    store: Store,
    host: str,
    guard: Guard,
    sharing: "Sharing | None",
) -> dict[str, ControlOperation]:
    rules = frozenset({*document.rules, *SAID, FOLLOW, FAULT_RULE})
    journals = RequestHandlers(Validity([document.openapi, ingest.openapi]), decode, rules)
    snapshots = SnapshotHandlers(store, journals)
    more = {
        **journals.table,
        **EVENT_HANDLERS,
        **FAULT_HANDLERS,
        **CLOCK_HANDLERS,
        STREAM: open_stream,
        "controlGetSnapshot": snapshots.get,
    }
    table = ControlHandlers(store, document.profile, operations_of(controls.openapi), more).table
    table["controlPutSnapshot"] = snapshots.put
    table[METRICS] = Metrics(store).get
    most = document.submit.extensions["x-max-body-bytes"]
    described = describe(controls.name, controls.openapi, most, frozenset({STREAM, METRICS}))
    stream = StreamOperation(
        controls.openapi,
        described.pop(STREAM),
        table[STREAM],
        host,
        guard,
        lambda *names: News(store, journals, *names),
        at_once if sharing is None else sharing.look,
    )
    sleep = SleepOperation(controls.openapi, described.pop(SLEEP), table[SLEEP], host, guard)
    if sharing is not None:
        sleep.wait = sharing.asleep
    metrics = MetricsOperation(controls.openapi, described.pop(METRICS), table[METRICS], host, guard)
    others = {
        name: ControlOperation(controls.openapi, each, table[name], host, guard) for name, each in described.items()
    }
    return {STREAM: stream, SLEEP: sleep, METRICS: metrics, **others}


def _only(operation: str, routed: Routed) -> Routed:
    """The document with only the path of this operation."""
    path = next(each.path for each in operations_of(routed.openapi) if each.id == operation)
    return Routed(routed.name, {**routed.openapi, "paths": {path: routed.openapi["paths"][path]}})


def _aliases(document: Document) -> dict[str, str]:
    """The second path of the endpoint, if the document has one."""
    path, alias = document.submit.path, document.behaviour.alias
    return {} if alias is None else {path: f"{path.rstrip('/').rpartition('/')[0]}/{alias}/"}


def _made(document: Document, store: Store, organization: str, slug: str) -> Project:
    """The project with these slugs, created if there is none."""
    project = store.project(organization, slug) or store.put_project(organization, slug, store.new_clock())
    if project is None:
        raise DocumentError(f"{document.name}: there is no room for its project {organization}/{slug}; delete some.")
    return project


def _default_project(document: Document) -> tuple[str, str]:
    """The slugs of the project named by the examples of the path parameters, which is the page's own."""
    slugs = [str(each.example or each.name) for each in document.submit.parameters if each.place == "path"]
    if len(slugs) != 2:
        raise DocumentError(f"{document.name}: {SUBMIT}: its path needs an organization and a project.")
    return slugs[0], slugs[1]
