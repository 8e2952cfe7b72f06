// What a client does when the network or the server fails: seven requirements for retries, one test each.

import feedbackmock.Sandbox;
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

    static void attemptsAreCounted(Sandbox sandbox) throws Exception {
        sandbox.fail("""
            {"effect": {"connection": "EMPTY_RESPONSE"}, "times": 1}""");

        Tests.client(sandbox).submit(FOUND);

        Tests.count(1, "\"status\":0", sandbox.listRequests());
        Tests.count(1, "\"status\":200", sandbox.listRequests());
    }

    static void everyAttemptHasTheSameHeadersAndBody(Sandbox sandbox) throws Exception {
        sandbox.fail("""
            {"effect": {"connection": "EMPTY_RESPONSE"}, "times": 1}""");

        Tests.client(sandbox).submit(FOUND);

        Tests.count(2, """
            {"name":"authorization","value":"Bearer [redacted]"},{"name":"content-type","value":"application/json"}""",
            sandbox.listRequests());
        Tests.count(2, FOUND.json().replace("\"", "\\\""), sandbox.listRequests());
    }

    static void serverErrorsAreToldUntilItWorks(Sandbox sandbox) throws Exception {
        var client = Tests.client(sandbox);
        sandbox.fail("""
            {"effect": {"status": 503}, "times": 2}""");

        for (var attempt = 1; attempt <= 2; attempt++) {
            var refusal = Tests.refused(FeedbackClient.ServerError.class, () -> client.submit(FOUND));
            Tests.check(refusal.status == 503, refusal.getMessage());
        }

        Tests.check(Tests.value(client.submit(FOUND), "name").equals("Jane Smith"), sandbox.listFeedback());
    }

    static void resetBeforeStoringLeavesOneRecord(Sandbox sandbox) throws Exception {
        sandbox.fail("""
            {"effect": {"connection": "CONNECTION_RESET_BY_PEER"}, "phase": "before", "times": 1}""");

        Tests.client(sandbox).submit(FOUND);

        Tests.count(1, "\"rule\":\"submission\"", sandbox.listRequests());
        Tests.count(0, "\"rule\":\"overwrite\"", sandbox.listRequests());
        Tests.count(1, "first_submitted_at", sandbox.listFeedback());
    }

    static void resetAfterStoringLeavesOneRecord(Sandbox sandbox) throws Exception {
        sandbox.fail("""
            {"effect": {"connection": "CONNECTION_RESET_BY_PEER"}, "phase": "after", "times": 1}""");

        Tests.client(sandbox).submit(FOUND);

        Tests.count(1, "\"rule\":\"submission\"", sandbox.listRequests());
        Tests.count(1, "\"rule\":\"overwrite\"", sandbox.listRequests());
        Tests.count(1, "first_submitted_at", sandbox.listFeedback());
    }

    static void rateLimitSaysWhenAndHoldsForOneTest(Sandbox sandbox) throws Exception {
        sandbox.fail("""
            {"effect": {"status": 429, "retry_after": 60}}""");

        var refusal = Tests.refused(
            FeedbackClient.ServerError.class, () -> Tests.client(sandbox).submit(FOUND));

        Tests.check(refusal.status == 429, refusal.getMessage());
        Tests.check(refusal.retryAfter.getAsLong() == 60, "Retry-After is " + refusal.retryAfter);
        Tests.count(1, "\"startedDateTime\"", sandbox.listRequests());
        try (var other = Sandbox.in(Tests.mock)) {
            Tests.client(other).submit(FOUND);
        }
    }

    static void slowAnswerIsGivenUpAndRetried(Sandbox sandbox) throws Exception {
        sandbox.fail("""
            {"effect": {"delay": "until_released"}, "phase": "after", "times": 1}""");

        Tests.client(sandbox, "Bearer " + sandbox.writeToken, Duration.ofSeconds(1)).submit(FOUND);

        Tests.count(2, "\"startedDateTime\"", sandbox.listRequests());
        Tests.count(1, "first_submitted_at", sandbox.listFeedback());
    }

    static void halfAnAnswerIsNotTakenForFeedback(Sandbox sandbox) throws Exception {
        sandbox.fail("""
            {"effect": {"broken_body": "truncated"}, "times": 1}""");

        Tests.refused(IOException.class, () -> Tests.client(sandbox).submit(FOUND));

        Tests.count(1, "first_submitted_at", sandbox.listFeedback());
    }

    static void anotherShapeIsNotTakenForFeedback(Sandbox sandbox) throws Exception {
        sandbox.fail("""
            {"effect": {"broken_body": "wrong"}, "times": 1}""");

        Tests.refused(IOException.class, () -> Tests.client(sandbox).submit(FOUND));

        Tests.count(1, "first_submitted_at", sandbox.listFeedback());
    }
}
