// The client, tested against the mock: a project of its own for each test. Tests.java runs it.

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

    static void feedbackIsStoredWithTheIssueOfItsEvent(FeedbackMock.Project project) throws Exception {
        project.saveEvent(EVENT, "TypeError: undefined is not a function");

        var stored = project.client(project.bearer()).submit(FOUND);

        Tests.check(FeedbackMock.value(stored, "title").equals("TypeError: undefined is not a function"), stored);
    }

    static void dsnMaySubmit(FeedbackMock.Project project) throws Exception {
        var stored = project.client(project.dsn()).submit(FOUND);

        Tests.check(FeedbackMock.value(stored, "comments").equals("It broke!"), stored);
    }

    static void retryOverwrites(FeedbackMock.Project project) throws Exception {
        var client = project.client(project.bearer());
        var first = client.submit(FOUND);

        var second = client.submit(
            new FeedbackClient.Submission(EVENT, "Jane Smith", "jane@example.com", "The button does nothing."));

        Tests.check(FeedbackMock.value(second, "id").equals(FeedbackMock.value(first, "id")), second);
        Tests.count(1, "first_submitted_at", project.feedback());
    }

    static void eventWindowEndsAfterExactly30Minutes(FeedbackMock.Project project) throws Exception {
        var client = project.client(project.bearer());
        project.saveEvent(EVENT, "Error");
        project.advance("PT30M");
        client.submit(FOUND);

        project.advance("PT0.000001S");

        Tests.refused(FeedbackClient.TooLate.class, () -> client.submit(FOUND));
    }

    static void overwriteWindowEndsAfterExactly5Minutes(FeedbackMock.Project project) throws Exception {
        var client = project.client(project.bearer());
        client.submit(FOUND);
        project.advance("PT5M");
        client.submit(FOUND);

        project.advance("PT0.000001S");

        Tests.refused(FeedbackClient.TooLate.class, () -> client.submit(FOUND));
    }

    static void invalidFieldsAreNamed(FeedbackMock.Project project) throws Exception {
        var invalid = new FeedbackClient.Submission(EVENT, "Jane Smith", "nobody", "It broke!");

        var refusal = Tests.refused(
            FeedbackClient.Invalid.class, () -> project.client(project.bearer()).submit(invalid));

        Tests.check(
            refusal.getMessage().equals("{\"email\":[\"Enter a valid email address.\"]}"), refusal.getMessage());
    }
}
