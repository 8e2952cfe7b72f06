// The client, tested against the mock, with a separate project for each test.

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class FeedbackTest extends MockTest {
    @Test
    void feedbackIsStoredWithTheIssueOfItsEvent() throws Exception {
        sandbox.putEvent(EVENT, """
            {"title": "TypeError: undefined is not a function"}""");

        var stored = client().submit(FOUND);

        assertEquals("TypeError: undefined is not a function", value(stored, "title"));
    }

    @Test
    void dsnMaySubmit() throws Exception {
        var stored = client(sandbox, "DSN " + sandbox.dsn, Duration.ofMinutes(1)).submit(FOUND);

        assertEquals("It broke!", value(stored, "comments"));
    }

    @Test
    void retryOverwrites() throws Exception {
        var client = client();
        var first = client.submit(FOUND);

        var second = client.submit(
            new FeedbackClient.Submission(EVENT, "Jane Smith", "jane@example.com", "The button does nothing."));

        assertEquals(value(first, "id"), value(second, "id"));
        count(1, "first_submitted_at", sandbox.listFeedback());
    }

    @Test
    void eventWindowEndsAfterExactly30Minutes() throws Exception {
        var client = client();
        sandbox.putEvent(EVENT);
        advance("PT30M");
        client.submit(FOUND);

        advance("PT0.000001S");

        assertThrows(FeedbackClient.TooLate.class, () -> client.submit(FOUND));
    }

    @Test
    void overwriteWindowEndsAfterExactly5Minutes() throws Exception {
        var client = client();
        client.submit(FOUND);
        advance("PT5M");
        client.submit(FOUND);

        advance("PT0.000001S");

        assertThrows(FeedbackClient.TooLate.class, () -> client.submit(FOUND));
    }

    @Test
    void invalidFieldsAreNamed() throws Exception {
        var invalid = new FeedbackClient.Submission(EVENT, "Jane Smith", "nobody", "It broke!");

        var refusal = assertThrows(
            FeedbackClient.Invalid.class, () -> client().submit(invalid));

        assertEquals("{\"email\":[\"Enter a valid email address.\"]}", refusal.getMessage());
    }
}
