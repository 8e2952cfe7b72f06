// Submits one feedback and reports the outcome in its exit code: for `feedback-verify client -- java -cp build Submit`.

import java.time.Duration;

final class Submit {
    public static void main(String[] arguments) {
        var given = System.getenv();
        var client = new FeedbackClient(
            given.get("FEEDBACK_URL"),
            given.get("FEEDBACK_ORGANIZATION"),
            given.get("FEEDBACK_PROJECT"),
            "DSN " + given.get("FEEDBACK_DSN"),
            Duration.ofSeconds(2));
        try {
            client.submit(new FeedbackClient.Submission(
                given.get("FEEDBACK_EVENT_ID"),
                given.get("FEEDBACK_NAME"),
                given.get("FEEDBACK_EMAIL"),
                given.get("FEEDBACK_COMMENTS")));
        } catch (Exception error) {
            System.err.println("The feedback was not delivered: " + error);
            System.exit(1);
        }
    }
}
