// What a client does when the network or the server fails: seven requirements for retries, one test each.

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import feedbackmock.Sandbox;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RetriesTest extends MockTest {
    @Test
    void attemptsAreCounted() throws Exception {
        sandbox.fail("""
            {"effect": {"connection": "EMPTY_RESPONSE"}, "times": 1}""");

        client().submit(FOUND);

        count(1, "\"status\":0", sandbox.listRequests());
        count(1, "\"status\":200", sandbox.listRequests());
    }

    @Test
    void everyAttemptHasTheSameHeadersAndBody() throws Exception {
        sandbox.fail("""
            {"effect": {"connection": "EMPTY_RESPONSE"}, "times": 1}""");

        client().submit(FOUND);

        count(2, """
            {"name":"authorization","value":"Bearer [redacted]"},{"name":"content-type","value":"application/json"}""",
            sandbox.listRequests());
        count(2, FOUND.json().replace("\"", "\\\""), sandbox.listRequests());
    }

    @Test
    void serverErrorsAreToldUntilItWorks() throws Exception {
        var client = client();
        sandbox.fail("""
            {"effect": {"status": 503}, "times": 2}""");

        for (var attempt = 1; attempt <= 2; attempt++) {
            var refusal = assertThrows(FeedbackClient.ServerError.class, () -> client.submit(FOUND));
            assertEquals(503, refusal.status);
        }

        assertEquals("Jane Smith", value(client.submit(FOUND), "name"));
    }

    @Test
    void resetBeforeStoringLeavesOneRecord() throws Exception {
        sandbox.fail("""
            {"effect": {"connection": "CONNECTION_RESET_BY_PEER"}, "phase": "before", "times": 1}""");

        client().submit(FOUND);

        count(1, "\"rule\":\"submission\"", sandbox.listRequests());
        count(0, "\"rule\":\"overwrite\"", sandbox.listRequests());
        count(1, "first_submitted_at", sandbox.listFeedback());
    }

    @Test
    void resetAfterStoringLeavesOneRecord() throws Exception {
        sandbox.fail("""
            {"effect": {"connection": "CONNECTION_RESET_BY_PEER"}, "phase": "after", "times": 1}""");

        client().submit(FOUND);

        count(1, "\"rule\":\"submission\"", sandbox.listRequests());
        count(1, "\"rule\":\"overwrite\"", sandbox.listRequests());
        count(1, "first_submitted_at", sandbox.listFeedback());
    }

    @Test
    void rateLimitSaysWhenAndHoldsForOneTest() throws Exception {
        sandbox.fail("""
            {"effect": {"status": 429, "retry_after": 60}}""");

        var refusal = assertThrows(
            FeedbackClient.ServerError.class, () -> client().submit(FOUND));

        assertEquals(429, refusal.status);
        assertEquals(60, refusal.retryAfter.getAsLong());
        count(1, "\"startedDateTime\"", sandbox.listRequests());
        try (var other = Sandbox.in(mock)) {
            client(other, "Bearer " + other.writeToken, Duration.ofMinutes(1)).submit(FOUND);
        }
    }

    @Test
    void slowAnswerIsGivenUpAndRetried() throws Exception {
        sandbox.fail("""
            {"effect": {"delay": "until_released"}, "phase": "after", "times": 1}""");

        client(sandbox, "Bearer " + sandbox.writeToken, Duration.ofSeconds(1)).submit(FOUND);

        count(2, "\"startedDateTime\"", sandbox.listRequests());
        count(1, "first_submitted_at", sandbox.listFeedback());
    }

    @Test
    void halfAnAnswerIsNotTakenForFeedback() throws Exception {
        sandbox.fail("""
            {"effect": {"broken_body": "truncated"}, "times": 1}""");

        assertThrows(IOException.class, () -> client().submit(FOUND));

        count(1, "first_submitted_at", sandbox.listFeedback());
    }

    @Test
    void anotherShapeIsNotTakenForFeedback() throws Exception {
        sandbox.fail("""
            {"effect": {"broken_body": "wrong"}, "times": 1}""");

        assertThrows(IOException.class, () -> client().submit(FOUND));

        count(1, "first_submitted_at", sandbox.listFeedback());
    }
}
