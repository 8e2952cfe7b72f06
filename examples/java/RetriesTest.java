// What a client does when the network or the server fails: seven needs of a retry test, each as one test.

import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

final class RetriesTest {
    static final FeedbackClient.Submission FOUND = FeedbackTest.FOUND;

    static final Map<String, Tests.Test> ALL = new LinkedHashMap<>();

    static {
        ALL.put("attempts-are-counted", RetriesTest::attemptsAreCounted);
        ALL.put("every-attempt-has-the-same-headers-and-body", RetriesTest::everyAttemptHasTheSameHeadersAndBody);
        ALL.put("server-errors-are-told-until-it-works", RetriesTest::serverErrorsAreToldUntilItWorks);
        ALL.put("reset-before-storing-leaves-one-record", RetriesTest::resetBeforeStoringLeavesOneRecord);
        ALL.put("reset-after-storing-leaves-one-record", RetriesTest::resetAfterStoringLeavesOneRecord);
        ALL.put("rate-limit-says-when-and-holds-for-one-test", RetriesTest::rateLimitSaysWhenAndHoldsForOneTest);
        ALL.put("slow-answer-is-given-up-and-retried", RetriesTest::slowAnswerIsGivenUpAndRetried);
        ALL.put("half-an-answer-is-not-taken-for-feedback", RetriesTest::halfAnAnswerIsNotTakenForFeedback);
        ALL.put("another-shape-is-not-taken-for-feedback", RetriesTest::anotherShapeIsNotTakenForFeedback);
    }

    static void attemptsAreCounted(FeedbackMock.Project project) throws Exception {
        project.fail("""
            {"effect": {"connection": "EMPTY_RESPONSE"}, "times": 1}""");

        project.client(project.bearer()).submit(FOUND);

        Tests.count(1, "\"status\":0", project.requests());
        Tests.count(1, "\"status\":200", project.requests());
    }

    static void everyAttemptHasTheSameHeadersAndBody(FeedbackMock.Project project) throws Exception {
        project.fail("""
            {"effect": {"connection": "EMPTY_RESPONSE"}, "times": 1}""");

        project.client(project.bearer()).submit(FOUND);

        Tests.count(2, """
            {"name":"authorization","value":"Bearer [redacted]"},{"name":"content-type","value":"application/json"}""",
            project.requests());
        Tests.count(2, FOUND.json().replace("\"", "\\\""), project.requests());
    }

    static void serverErrorsAreToldUntilItWorks(FeedbackMock.Project project) throws Exception {
        var client = project.client(project.bearer());
        project.fail("""
            {"effect": {"status": 503}, "times": 2}""");

        for (var attempt = 1; attempt <= 2; attempt++) {
            var refusal = Tests.refused(FeedbackClient.ServerError.class, () -> client.submit(FOUND));
            Tests.check(refusal.status == 503, refusal.getMessage());
        }

        Tests.check(FeedbackMock.value(client.submit(FOUND), "name").equals("Jane Smith"), project.feedback());
    }

    static void resetBeforeStoringLeavesOneRecord(FeedbackMock.Project project) throws Exception {
        project.fail("""
            {"effect": {"connection": "CONNECTION_RESET_BY_PEER"}, "phase": "before", "times": 1}""");

        project.client(project.bearer()).submit(FOUND);

        Tests.count(1, "\"rule\":\"submission\"", project.requests());
        Tests.count(0, "\"rule\":\"overwrite\"", project.requests());
        Tests.count(1, "first_submitted_at", project.feedback());
    }

    static void resetAfterStoringLeavesOneRecord(FeedbackMock.Project project) throws Exception {
        project.fail("""
            {"effect": {"connection": "CONNECTION_RESET_BY_PEER"}, "phase": "after", "times": 1}""");

        project.client(project.bearer()).submit(FOUND);

        Tests.count(1, "\"rule\":\"submission\"", project.requests());
        Tests.count(1, "\"rule\":\"overwrite\"", project.requests());
        Tests.count(1, "first_submitted_at", project.feedback());
    }

    static void rateLimitSaysWhenAndHoldsForOneTest(FeedbackMock.Project project) throws Exception {
        project.fail("""
            {"effect": {"status": 429, "retry_after": 60}}""");

        var refusal = Tests.refused(
            FeedbackClient.ServerError.class, () -> project.client(project.bearer()).submit(FOUND));

        Tests.check(refusal.status == 429, refusal.getMessage());
        Tests.check(refusal.retryAfter.getAsLong() == 60, "Retry-After is " + refusal.retryAfter);
        Tests.count(1, "\"startedDateTime\"", project.requests());
        try (var other = FeedbackMock.Project.on(project.url(), "not-limited")) {
            other.client(other.bearer()).submit(FOUND);
        }
    }

    static void slowAnswerIsGivenUpAndRetried(FeedbackMock.Project project) throws Exception {
        project.fail("""
            {"effect": {"delay": "until_released"}, "phase": "after", "times": 1}""");

        project.client(project.bearer(), Duration.ofSeconds(1)).submit(FOUND);

        Tests.count(2, "\"startedDateTime\"", project.requests());
        Tests.count(1, "first_submitted_at", project.feedback());
    }

    static void halfAnAnswerIsNotTakenForFeedback(FeedbackMock.Project project) throws Exception {
        project.fail("""
            {"effect": {"broken_body": "truncated"}, "times": 1}""");

        Tests.refused(IOException.class, () -> project.client(project.bearer()).submit(FOUND));

        Tests.count(1, "first_submitted_at", project.feedback());
    }

    static void anotherShapeIsNotTakenForFeedback(FeedbackMock.Project project) throws Exception {
        project.fail("""
            {"effect": {"broken_body": "wrong"}, "times": 1}""");

        Tests.refused(IOException.class, () -> project.client(project.bearer()).submit(FOUND));

        Tests.count(1, "first_submitted_at", project.feedback());
    }
}
