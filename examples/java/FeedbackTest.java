// The client, tested against the mock, with a separate project for each test. Tests.java runs it.

import feedbackmock.Sandbox;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

final class FeedbackTest {
    static final String EVENT = "7167980ca1db42cdba8d5284e7f81c66";
    static final FeedbackClient.Submission FOUND =
        new FeedbackClient.Submission(EVENT, "Jane Smith", "jane@example.com", "It broke!");

    static final Map<String, Tests.Test> ALL = new LinkedHashMap<>();

    static {
        ALL.put("feedback-is-stored-with-the-issue-of-its-event", FeedbackTest::feedbackIsStoredWithTheIssueOfItsEvent);
        ALL.put("dsn-may-submit", FeedbackTest::dsnMaySubmit);
        ALL.put("retry-overwrites", FeedbackTest::retryOverwrites);
        ALL.put("event-window-ends-after-exactly-30-minutes", FeedbackTest::eventWindowEndsAfterExactly30Minutes);
        ALL.put("overwrite-window-ends-after-exactly-5-minutes", FeedbackTest::overwriteWindowEndsAfterExactly5Minutes);
        ALL.put("invalid-fields-are-named", FeedbackTest::invalidFieldsAreNamed);
    }

    static void feedbackIsStoredWithTheIssueOfItsEvent(Sandbox sandbox) throws Exception {
        sandbox.putEvent(EVENT, """
            {"title": "TypeError: undefined is not a function"}""");

        var stored = Tests.client(sandbox).submit(FOUND);

        Tests.check(Tests.value(stored, "title").equals("TypeError: undefined is not a function"), stored);
    }

    static void dsnMaySubmit(Sandbox sandbox) throws Exception {
        var stored = Tests.client(sandbox, "DSN " + sandbox.dsn, Duration.ofMinutes(1)).submit(FOUND);

        Tests.check(Tests.value(stored, "comments").equals("It broke!"), stored);
    }

    static void retryOverwrites(Sandbox sandbox) throws Exception {
        var client = Tests.client(sandbox);
        var first = client.submit(FOUND);

        var second = client.submit(
            new FeedbackClient.Submission(EVENT, "Jane Smith", "jane@example.com", "The button does nothing."));

        Tests.check(Tests.value(second, "id").equals(Tests.value(first, "id")), second);
        Tests.count(1, "first_submitted_at", sandbox.listFeedback());
    }

    static void eventWindowEndsAfterExactly30Minutes(Sandbox sandbox) throws Exception {
        var client = Tests.client(sandbox);
        sandbox.putEvent(EVENT);
        Tests.advance(sandbox, "PT30M");
        client.submit(FOUND);

        Tests.advance(sandbox, "PT0.000001S");

        Tests.refused(FeedbackClient.TooLate.class, () -> client.submit(FOUND));
    }

    static void overwriteWindowEndsAfterExactly5Minutes(Sandbox sandbox) throws Exception {
        var client = Tests.client(sandbox);
        client.submit(FOUND);
        Tests.advance(sandbox, "PT5M");
        client.submit(FOUND);

        Tests.advance(sandbox, "PT0.000001S");

        Tests.refused(FeedbackClient.TooLate.class, () -> client.submit(FOUND));
    }

    static void invalidFieldsAreNamed(Sandbox sandbox) throws Exception {
        var invalid = new FeedbackClient.Submission(EVENT, "Jane Smith", "nobody", "It broke!");

        var refusal = Tests.refused(
            FeedbackClient.Invalid.class, () -> Tests.client(sandbox).submit(invalid));

        Tests.check(
            refusal.getMessage().equals("{\"email\":[\"Enter a valid email address.\"]}"), refusal.getMessage());
    }
}
