"""The page in headless Chromium: what users do with it, and what no client can do to them."""

import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from feedback_mock import Sandbox, Server
from feedback_spec.document import load, load_control
from feedback_spec.documentation.build import built_files
from playwright.sync_api import Browser, Page, expect

from tests.broken.serving import serving
from tests.page.conftest import ELSEWHERE, EVENT, PATIENCE, Visitor

ATTACK = """</script></title></text><img src=x onerror="attacked=1"><svg onload=attacked=1>'"`${attacked=1}"""
DOCUMENT = Path(__file__).parents[2] / "spec" / "openapi.yaml"
AXE = Path(__file__).parents[1] / "clients" / "node_modules" / "axe-core" / "axe.min.js"


def submit(sandbox: Sandbox, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
    body = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!", **fields}
    sent = {"Authorization": f"Bearer {sandbox.token}", **(headers or {})}
    return httpx.post(sandbox.feedback_url, json=body, headers=sent)


def test_story_of_a_409_by_clicking(visitor: Visitor, server: Server) -> None:
    """An event, feedback, an overwrite at the last instant, and one a microsecond later, which is refused."""
    page = visitor.page
    page.goto(server.url)
    page.fill("#new-project [name=project]", "story")
    page.click("text=Create project")
    page.locator("#timeline-empty").wait_for()
    page.click("#save-event >> text=Save event")
    visitor.told("was saved at")
    page.click("text=+ 1 minute")
    visitor.told("The clock shows")
    page.click("#submit button")
    visitor.told("200 OK")
    page.locator("#deadline", has_text="overwrite-window").wait_for()
    page.click("#before")
    visitor.told("the last instant that is accepted by overwrite-window")
    page.click("#submit button")
    visitor.told("200 OK by overwrite")
    page.click("#after")
    visitor.told("the first instant that is refused")
    page.click("#submit button")
    visitor.told("409 Conflict by overwrite-window")
    page.click(".mark[data-number='3']")

    shown = page.locator("#exchange").inner_text()
    assert "Request 3: 409 Conflict" in shown
    assert "feedback first submitted 5m00.000001s ago, window PT5M" in shown
    assert "Feedback may be overwritten up to and including 5 minutes" in shown
    assert page.locator(".mark .ok").count() == 2
    assert page.locator(".mark .conflict").count() == 1


def test_request_of_a_client_appears_at_once(visitor: Visitor, sandbox: Sandbox) -> None:
    page = visitor.visit(sandbox)
    page.locator("#timeline-empty").wait_for()
    submit(sandbox)

    page.locator(".mark[data-number='1'] .ok").wait_for()
    assert page.locator("#request-rows tr").count() == 1


@pytest.mark.parametrize("sent", ["fields", "headers", "path", "event", "fault"])
def test_what_clients_send_is_text(visitor: Visitor, sandbox: Sandbox, sent: str) -> None:
    """Nothing of it becomes an element or runs, wherever it is, and all of it is shown as it was sent."""
    page = visitor.visit(sandbox)
    elements = "document.querySelectorAll('img, script, iframe, object, style, link').length"
    before = page.evaluate(elements)
    match sent:
        case "fields":
            submit(sandbox, event_id=ATTACK, name=ATTACK, email=ATTACK, comments=ATTACK)
        case "headers":
            submit(sandbox, {"User-Agent": ATTACK, "Content-Type": ATTACK, "X-Client": ATTACK, "Referer": ATTACK})
        case "path":
            httpx.get(f"{sandbox.feedback_url}{ATTACK}", params={ATTACK: ATTACK})
        case "event":
            sandbox.save_event(EVENT, title=ATTACK)
            submit(sandbox)
        case "fault":
            sandbox.fail({"status": 418, "body": ATTACK, "headers": {"X-Attack": ATTACK}})
            submit(sandbox)
    page.locator(".mark").first.click()
    page.click("#exchange summary")

    where = "#timeline" if sent == "event" else "#exchange"
    assert "onerror" in str(page.locator(where).text_content())
    assert page.evaluate("typeof attacked") == "undefined"
    assert page.evaluate(elements) == before


def test_what_stands_in_a_form_is_text(visitor: Visitor, sandbox: Sandbox) -> None:
    """It is sent unchanged, and refused with a message that is shown as text."""
    page = visitor.visit(sandbox)
    page.select_option("#presets", "custom")
    for form, field, told in (
        ("save-event", "event_id", "onerror"),
        ("add-fault", "custom", "not JSON"),
        ("save-event", "saved_ago", "onerror"),
    ):
        page.fill(f"#{form} [name={field}]", ATTACK)
        page.click(f"#{form} button:not([type])")
        page.locator("#told.failed", has_text=told).wait_for()
        page.fill("#save-event [name=event_id]", EVENT)
    for field in ("event_id", "name", "email", "comments"):
        page.fill(f"#submit [name={field}]", ATTACK)
    page.click("#submit button")
    visitor.told("400 Bad Request")

    assert page.evaluate("typeof attacked") == "undefined"


@pytest.mark.parametrize("name", ["<img src=x onerror=attacked=1>", "..%2f..%2fhealth", "nowhere"])
def test_address_that_names_no_project_is_told(visitor: Visitor, server: Server, name: str) -> None:
    visitor.page.goto(f"{server.url}/_control/page/#/acme/{name}")

    visitor.page.locator("#told.failed").wait_for()
    visitor.page.locator("#projects").wait_for()
    assert visitor.page.evaluate("typeof attacked") == "undefined"


def test_line_of_curl_sends_the_request_again(visitor: Visitor, sandbox: Sandbox) -> None:
    """With the credentials that the journal hides, and quoted: a value runs nothing in a shell either."""
    submit(sandbox, {"X-Client": "it's $(touch attacked) `touch attacked`"}, comments='It\'s "broken" $HOME \\ \n !')
    page = visitor.visit(sandbox)
    page.locator(".mark").click()
    page.click("text=Copy as curl")
    visitor.told("copied")
    line = page.evaluate("navigator.clipboard.readText()")
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)

    assert ran.stdout.startswith("HTTP/1.1 200 OK")
    one, two = sandbox.requests
    assert one.json() == two.json()
    assert one.headers["x-client"] == two.headers["x-client"]


def test_fault_by_clicking(visitor: Visitor, sandbox: Sandbox) -> None:
    """The response is lost, the feedback is stored, and the mark says why. Chromium may resend it on its own."""
    page = visitor.visit(sandbox)
    page.click("text=Add fault")
    visitor.told("is waiting for its request")
    page.click("#submit button")

    page.locator(".mark .fault").first.wait_for()
    page.locator("#faults", has_text="applied 1 of 1").wait_for()
    assert len(sandbox.feedback) == 1


def test_reason_under_a_delay_is_that_of_the_rule(visitor: Visitor, sandbox: Sandbox) -> None:
    """The fault is named beside it; where a fault replaced the response, it is the reason."""
    submit(sandbox)
    sandbox.advance("PT5M0.000001S")
    for effect in ({"delay": "PT0.001S"}, {"status": 503}):
        sandbox.fail(effect, times=1)
        submit(sandbox)
    page = visitor.visit(sandbox)
    page.locator("#request-rows tr").nth(2).wait_for()

    assert page.locator("#request-rows td.reason").all_inner_texts() == [
        "rule 2 of the project's faults",
        "feedback first submitted 5m00.000001s ago, window PT5M; a fault: delay",
        "",
    ]
    for kind, numbers in {"ok": ["1"], "conflict": ["2"], "other": ["3"], "fault": ["3", "2"]}.items():
        page.select_option("#filter", kind)
        assert page.locator("#request-rows td:first-child, #request-rows th").all_inner_texts() == numbers


def test_reset_is_asked_for_and_empties(visitor: Visitor, sandbox: Sandbox) -> None:
    submit(sandbox)
    page = visitor.visit(sandbox)
    page.click("#reset")
    page.click("#sure-yes")

    page.locator("#timeline-empty").wait_for()
    assert sandbox.feedback == []


def test_project_that_is_deleted_is_told(visitor: Visitor, sandbox: Sandbox) -> None:
    page = visitor.visit(sandbox)
    sandbox.delete()

    visitor.told("was deleted")
    page.locator("#projects").wait_for()
    assert page.locator("#project").is_hidden()


def test_exchange_by_keyboard(visitor: Visitor, sandbox: Sandbox) -> None:
    """Tab reaches one mark, the arrow keys the others; Escape returns the focus."""
    for _ in range(3):
        submit(sandbox)
    page = visitor.visit(sandbox)
    page.locator(".mark").nth(2).wait_for()
    page.focus("#range")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert "Request 2" in page.locator("#exchange-title").inner_text()
    submit(sandbox)
    page.locator(".mark").nth(3).wait_for()
    page.keyboard.press("Escape")

    assert page.locator("#exchange").is_hidden()
    expect(page.locator(".mark[data-number='2']")).to_be_focused(timeout=PATIENCE)


def test_every_request_of_a_pile_can_be_opened(visitor: Visitor, sandbox: Sandbox) -> None:
    """Six at one instant, as in the test of a client that retries: the latest as marks, and all in a list, which a new
    one joins.
    """
    for _ in range(6):
        submit(sandbox)
    page = visitor.visit(sandbox)
    more = page.get_by_role("button", name="+2: list all 6 requests at")
    more.click()
    page.locator("#pile-title", has_text="6 requests at").wait_for()
    submit(sandbox)
    page.locator("#pile-title", has_text="7 requests at").wait_for()
    opened = []
    for number in range(7, 0, -1):
        page.get_by_role("dialog").get_by_role("button", name=f"Open request {number}").click()
        opened.append(page.locator("#exchange-title").inner_text().strip())
        page.keyboard.press("Escape")

    assert opened == [f"Request {number}: 200 OK" for number in range(7, 0, -1)]
    assert page.locator(".mark:not(.more)").count() == 4


def test_pile_by_keyboard(visitor: Visitor, sandbox: Sandbox) -> None:
    """The arrow keys reach its button in the order of the requests, and it keeps the focus while requests come."""
    for _ in range(6):
        submit(sandbox)
    page = visitor.visit(sandbox)
    page.locator(".mark.more").wait_for()
    page.focus("#range")
    for key in ("Tab", "Home", "ArrowRight", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    submit(sandbox)
    page.locator("#pile-title", has_text="7 requests at").wait_for()
    page.keyboard.press("Escape")

    # The browser tells the page a moment later that the list is closed.
    expect(page.get_by_label("+3: list all 7 requests at")).to_be_focused(timeout=PATIENCE)


def test_row_by_keyboard(visitor: Visitor, sandbox: Sandbox) -> None:
    """Closing a request returns the focus to its row, of which there is another one once requests have come."""
    for _ in range(2):
        submit(sandbox)
    page = visitor.visit(sandbox)
    row = page.get_by_label("Open request 1")
    row.press("Enter")
    submit(sandbox)
    page.locator(".mark").nth(2).wait_for()
    page.keyboard.press("Escape")

    expect(page.get_by_label("Open request 1")).to_be_focused(timeout=PATIENCE)


def test_reference_tries_this_server_and_no_other(visitor: Visitor, server: Server) -> None:
    page = visitor.page
    page.goto(f"{server.url}/_control/page/reference/?document=control")
    page.locator("#operations-Control-controlHealth .opblock-summary-control").click()
    page.locator(".execute").click()
    page.locator(".live-responses-table", has_text='"status": "ok"').wait_for()
    assert f"{server.url}/_control/health" in page.locator(".request-url").inner_text()

    page.goto(f"{server.url}/_control/page/reference/")
    page.locator("[id$=submitUserFeedback]").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_reference(visitor: Visitor, server: Server, scheme: Any) -> None:
    """Swagger UI has accessibility errors of its own, which the page repairs; and everything fits a phone."""
    needs_axe()
    page = visitor.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{server.url}/_control/page/reference/")
    page.locator("[id$=submitUserFeedback] .opblock-summary-control").click()
    page.locator(".execute").wait_for()

    assert violations(visitor) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visitor: Visitor, sandbox: Sandbox, scheme: Any) -> None:
    """On the list of projects, an empty project, one with requests and a fault, a pile, and an exchange; all of it fits
    a phone.
    """
    needs_axe()
    page = visitor.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(visitor.server.url)
    page.locator("#project-rows a").first.wait_for()
    found = violations(visitor)
    visitor.visit(sandbox)
    found += violations(visitor)
    sandbox.save_event(EVENT)
    sandbox.fail({"status": 503}, skip=1, times=1)
    for _ in range(6):
        submit(sandbox)
    page.locator(".mark.more").wait_for()
    found += violations(visitor)
    page.locator(".mark.more").click()
    found += violations(visitor)
    page.locator("#pile-rows button").first.click()

    assert found + violations(visitor) == []


def needs_axe() -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: make clients, with npm")


def violations(visitor: Visitor) -> list[str]:
    """What axe-core finds, and whether the page needs horizontal scrolling."""
    page = visitor.page
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    wide = page.evaluate("document.scrollingElement.scrollWidth > innerWidth")
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found] + ["too wide"] * wide


@pytest.mark.parametrize(("allowed", "told"), [((ELSEWHERE,), ""), ((), f"add it with --allow-host {ELSEWHERE}.")])
def test_page_under_another_name_works_where_that_is_allowed(
    browser: Browser, allowed: tuple[str, ...], told: str
) -> None:
    """Without HTTPS, where a browser offers less."""
    with Server(allow_hosts=allowed) as server, Sandbox(server, "acme", "web"):
        context = browser.new_context()
        visitor = Visitor(context.new_page(), server)
        page = visitor.page
        page.goto(f"http://{ELSEWHERE}:{server.address.rpartition(':')[2]}/_control/page/#/acme/web")
        if told:
            page.locator("#told", has_text=told).first.wait_for()
        else:
            page.click("#submit button")
            visitor.told("200 OK")
        context.close()

    assert visitor.errors == []


ATTEMPTS = """async ([control, json]) => {
  const heard = [];
  const attempt = async (name, act) => {
    try { const said = await act(); if (said) heard.push(`${name}: ${said}`); } catch { /* refused, as it should be */ }
  };
  const loaded = (node) => new Promise((resolve) => {
    node.onload = node.onerror = () => resolve(node);
    document.body.append(node);
  });
  const text = (options, path = "") => fetch(control + path, options).then((answer) => answer.text());
  const plain = {method: "POST", mode: "no-cors", headers: {"Content-Type": "text/plain"}};
  for (const mode of ["cors", "no-cors"]) {
    await attempt(`${mode} GET`, () => text({mode}));
    await attempt(`${mode} PUT`, () => text({mode, method: "PUT", body: json}));
    await attempt(`${mode} DELETE`, () => text({mode, method: "DELETE"}));
    await attempt(`${mode} reset`, () => text({...plain, mode}, "/reset"));
    await attempt(`${mode} advance`, () => text({...plain, mode, body: '{"duration":"PT1H"}'}, "/clock/advance"));
  }
  await attempt("beacon", () => { navigator.sendBeacon(control + "/reset", ""); });
  await attempt("script", async () => !(await loaded(Object.assign(document.createElement("script"), {src: control}))));
  await attempt("image", async () => (await loaded(Object.assign(new Image(), {src: control}))).naturalWidth);
  await attempt("frame", async () =>
    (await loaded(Object.assign(document.createElement("iframe"), {src: control}))).contentDocument?.body?.innerText);
  const frame = Object.assign(document.createElement("iframe"), {name: "target"});
  await loaded(frame);
  for (const enctype of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
    const form = Object.assign(document.createElement("form"), {method: "POST", action: control + "/reset", enctype});
    form.target = "target";
    document.body.append(form);
    await attempt(enctype, async () => {
      await new Promise((resolve) => { frame.onload = resolve; form.submit(); });
      return frame.contentDocument?.body?.innerText;
    });
  }
  await attempt("stream", () => new Promise((resolve) => {
    const source = new EventSource(control + "/stream");
    source.onerror = () => { source.close(); resolve(""); };
    source.addEventListener("project", (event) => { source.close(); resolve(event.data); });
  }));
  return heard;
}"""


@pytest.mark.parametrize(("host", "writes"), [("127.0.0.1", True), (ELSEWHERE, False)])
def test_page_of_another_site_neither_reads_nor_writes(
    browser: Browser, sandbox: Sandbox, host: str, writes: bool
) -> None:
    """With everything that a page can send. A page of this machine may write, which shows that the attempts are
    real.
    """
    submit(sandbox)
    before = sandbox.snapshot()
    control = f"{sandbox.url}/_control/projects/{sandbox.organization}/{sandbox.project}"

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"<!doctype html><body>"})

    with serving(app) as url:
        page = browser.new_page()
        page.goto(url.replace("127.0.0.1", host))
        heard = page.evaluate(ATTEMPTS, [control, '{"clock":{"running":true}}'])
        page.close()

    assert heard == []
    assert (sandbox.snapshot() != before) == writes


def test_windows_are_those_of_the_document(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "openapi.yaml"
    path.write_text(DOCUMENT.read_text("utf-8").replace("PT5M", "PT2M").replace("5 minutes", "2 minutes"), "utf-8")
    with Server(document=load(path)) as server, Sandbox(server, "acme", "web") as sandbox:
        submit(sandbox)
        context = browser.new_context()
        page = Visitor(context.new_page(), server).visit(sandbox)
        page.locator("#deadline", has_text="in 2 min.").wait_for()
        page.locator("#timeline", has_text="overwrite-window PT2M").wait_for()
        assert "PT5M" not in (page.locator("#timeline").text_content() or "")
        context.close()


def test_token_is_asked_for_until_it_is_right(browser: Browser) -> None:
    with Server(control_token="a-token-for-tests") as server, Sandbox(server, "acme", "web"):
        context = browser.new_context()
        visitor = Visitor(context.new_page(), server)
        page = visitor.page
        page.goto(f"{server.url}/_control/page/#/acme/web")
        for token in ("wrong", "a-token-for-tests"):
            page.fill("#token-form [name=token]", token)
            page.click("#token-form button")
        page.locator("#project").wait_for()
        context.close()

    assert visitor.errors == []


def test_token_of_the_address_opens_the_page(browser: Browser) -> None:
    with Server(control_token="a-token-for-tests") as server, Sandbox(server, "acme", "web"):
        context = browser.new_context()
        visitor = Visitor(context.new_page(), server)
        visitor.page.goto(f"{server.url}/#token=a-token-for-tests")
        visitor.page.get_by_role("link", name="acme/web").click()
        visitor.page.locator("#project").wait_for()
        address = visitor.page.url
        context.close()

    assert "token" not in address
    assert visitor.errors == []


@pytest.fixture
def reference(visitor: Visitor, server: Server) -> Page:
    """The reference as a site would serve it, on a phone, with its own policy."""
    html = built_files(load(), load_control())["reference.html"]
    page = visitor.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.route(f"{server.url}/reference.html", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{server.url}/reference.html")
    return page


def test_reference_shows_every_example_in_one_language_and_copies_what_it_shows(reference: Page) -> None:
    reference.locator(".languages").first.get_by_text("TypeScript").click()
    shown = [each.locator("pre:visible").inner_text() for each in reference.locator(".languages").all()]
    reference.locator(".languages .copy").last.click()
    reference.locator(".told", has_text="Copied").wait_for(state="attached")

    assert [each.partition(" ")[0] for each in shown] == ["const", "const", "import"]
    assert reference.evaluate("navigator.clipboard.readText()") == shown[-1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_generated_reference(visitor: Visitor, reference: Page, scheme: Any) -> None:
    needs_axe()
    reference.emulate_media(color_scheme=scheme)

    assert violations(visitor) == []
