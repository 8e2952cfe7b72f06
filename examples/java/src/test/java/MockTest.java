// What all tests share: a mock for the class, a project for each test, and the client for that project.

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import feedbackmock.FeedbackMock;
import feedbackmock.Sandbox;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

abstract class MockTest {
    static final String EVENT = "7167980ca1db42cdba8d5284e7f81c66";
    static final FeedbackClient.Submission FOUND =
        new FeedbackClient.Submission(EVENT, "Jane Smith", "jane@example.com", "It broke!");

    @AutoClose
    static FeedbackMock mock;

    @AutoClose
    Sandbox sandbox;

    @BeforeAll
    static void startMock() throws Exception {
        mock = FeedbackMock.start();
    }

    @BeforeEach
    void makeProject() throws Exception {
        sandbox = Sandbox.in(mock);
    }

    /** The SDK under test, for the test's own project. */
    FeedbackClient client() {
        return client(sandbox, "Bearer " + sandbox.writeToken, Duration.ofMinutes(1));
    }

    static FeedbackClient client(Sandbox sandbox, String authorization, Duration timeout) {
        return new FeedbackClient(mock.url(), sandbox.organization(), sandbox.project(), authorization, timeout);
    }

    void advance(String duration) throws Exception {
        sandbox.advanceClock("{\"duration\": \"%s\"}".formatted(duration));
    }

    /** The last value of a key in JSON, if it is a string. The JDK cannot read JSON; your SDK can. */
    static String value(String json, String key) {
        Matcher matcher = Pattern.compile(".*\"" + key + "\": ?\"([^\"]*)\"").matcher(json);
        assertTrue(matcher.find(), "There is no " + key + " in " + json);
        return matcher.group(1);
    }

    /** Checks how often a text occurs in another. */
    static void count(int expected, String part, String whole) {
        var found = whole.split(Pattern.quote(part), -1).length - 1;
        assertEquals(expected, found, part + " in " + whole);
    }
}
