// Each operation against a running mock, and what the mock says when it refuses: a main that throws where it is wrong.

import feedbackmock.Control;
import feedbackmock.FeedbackMock;
import feedbackmock.Sandbox;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;

public final class ClientTest {
    static final String EVENT = "7167980ca1db42cdba8d5284e7f81c66";
    static final String BODY = """
        {"event_id": "%s", "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}""".formatted(EVENT);
    static final String CLOCK = """
        {"clock": {"now": "2026-01-01T00:00:00Z", "running": false}}""";

    interface Step {
        Object run() throws Exception;
    }

    static void has(String part, String whole) {
        if (!whole.contains(part)) {
            throw new AssertionError(part + " is not in " + whole);
        }
    }

    static void refused(int status, String detail, Step step) throws Exception {
        try {
            step.run();
        } catch (Control.Refused refusal) {
            has(detail, refusal.getMessage());
            has(" " + status + " ", " " + refusal.status + " ");
            return;
        }
        throw new AssertionError("It was not refused with " + status);
    }

    static int submit(Sandbox sandbox) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(sandbox.feedbackUrl))
            .header("Authorization", "Bearer " + sandbox.writeToken)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(BODY))
            .build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.discarding()).statusCode();
    }

    static void serverSaysWhatItIsAndHas(Control mock, Sandbox sandbox) throws Exception {
        has("\"status\":\"ok\"", mock.health());
        has("/_control/health", mock.index());
        has("# HELP feedback_mock_requests_total", mock.metrics());
        has("\"project\":\"" + sandbox.project() + "\"", mock.listProjects());
    }

    static void projectIsMadeReadEmptiedAndDeleted(Control mock) throws Exception {
        var other = mock.project("acme", "web");
        has(other.putProject(CLOCK), other.getProject());
        has(other.resetProject(), other.getProject());
        other.putProject();
        other.deleteProject();
        refused(404, "There is no project acme/web", other::getProject);
        has("\"organization\":\"made-up\"", mock.makeProject());
    }

    static void eventIsSavedReadAndDeleted(Sandbox sandbox) throws Exception {
        has("2025-12-31T23:31:00.000000Z", sandbox.putEvent(EVENT, "{\"saved_ago\": \"PT29M\"}"));
        has("2025-12-31T23:31:00.000000Z", sandbox.getEvent(EVENT));
        has("2026-01-01T00:00:00.000000Z", sandbox.putEvent(EVENT));
        sandbox.deleteEvent(EVENT);
        refused(404, "event", () -> sandbox.getEvent(EVENT));
    }

    static void requestsFailAsToldAndStandInTheJournal(Sandbox sandbox) throws Exception {
        sandbox.fail("{\"effect\": {\"status\": 503}, \"times\": 1}");
        has("[503, 200]", List.of(submit(sandbox), submit(sandbox)).toString());
        has("\"applied\":1", sandbox.listFaults());
        has("\"status\":503", sandbox.listRequests(Map.of("status", 503)));
        has("\"status\":200", sandbox.listRequests());
        has("\"entries\":[]", sandbox.exportRequests(Map.of("since", 2)));
        has("\"version\":\"1.2\"", sandbox.exportRequests());
        has("\"verdict\":\"yes\"", sandbox.verifyRequests("{\"match\": {\"status\": 409}, \"exactly\": 0}"));
        has("\"number\":2", sandbox.addFaults("{\"faults\": [{\"effect\": {\"status\": 429}}]}"));
        sandbox.clearFaults();
        has("\"released\":0", sandbox.releaseFaults());
        sandbox.clearRequests();
        has("\"entries\":[]", sandbox.listRequests());
    }

    static void clockIsMovedSharedAndSleptOn(Sandbox sandbox) throws Exception {
        sandbox.putClock("{\"now\": \"2026-01-01T00:01:00Z\"}");
        has("00:01:00.000001Z", sandbox.advanceClock("{\"duration\": \"PT0.000001S\"}"));
        has("\"held_by\":[\"client\"]", sandbox.joinClock("client", "{\"lease\": \"PT1M\"}"));
        has("\"held_by\":[\"client\"]", sandbox.joinClock("client"));
        has("00:31:00.000001Z", sandbox.sleep("{\"duration\": \"PT30M\", \"participant\": \"client\"}"));
        sandbox.leaveClock("client");
        has("\"participants\":[]", sandbox.getClock());
        refused(400, "clock/advance: 400 {\"detail\":", () -> sandbox.advanceClock("{\"duration\": \"5 minutes\"}"));
    }

    static void snapshotMakesTheSameProjectElsewhere(Control mock, Sandbox sandbox) throws Exception {
        var other = mock.project("acme", "copy");
        other.putSnapshot(sandbox.getSnapshot());
        has("It broke!", other.listFeedback());
    }

    static void whatIsInAPathStaysInItsPart(Control mock) throws Exception {
        refused(400, "/_control/projects/a%2Fb/c%3Fd%20e/clock", () -> mock.project("a/b", "c?d e").getClock());
    }

    public static void main(String[] arguments) throws Exception {
        var options = List.of("--control-token", "only-for-this-test");
        try (var mock = FeedbackMock.start(System.getenv().getOrDefault("FEEDBACK_MOCK", "feedback-mock"), options)) {
            refused(401, "control token", () -> new Control(mock.url() + "/").index());
            projectIsMadeReadEmptiedAndDeleted(mock);
            whatIsInAPathStaysInItsPart(mock);
            try (var sandbox = Sandbox.in(mock, CLOCK)) {
                serverSaysWhatItIsAndHas(mock, sandbox);
                eventIsSavedReadAndDeleted(sandbox);
                requestsFailAsToldAndStandInTheJournal(sandbox);
                clockIsMovedSharedAndSleptOn(sandbox);
                snapshotMakesTheSameProjectElsewhere(mock, sandbox);
            }
        }
        System.out.println("ok");
    }
}
