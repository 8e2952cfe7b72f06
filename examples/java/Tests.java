// What a test framework does for you: one mock for all tests, a project for each, and a line with each result.

import feedbackmock.FeedbackMock;
import feedbackmock.Sandbox;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

final class Tests {
    static FeedbackMock mock;

    interface Step<T> {
        T run() throws Exception;
    }

    interface Test {
        void run(Sandbox sandbox) throws Exception;
    }

    /** The SDK under test, for the test's own project. */
    static FeedbackClient client(Sandbox sandbox) {
        return client(sandbox, "Bearer " + sandbox.writeToken, Duration.ofMinutes(1));
    }

    static FeedbackClient client(Sandbox sandbox, String authorization, Duration timeout) {
        return new FeedbackClient(mock.url(), sandbox.organization(), sandbox.project(), authorization, timeout);
    }

    static void advance(Sandbox sandbox, String duration) throws Exception {
        sandbox.advanceClock("{\"duration\": \"%s\"}".formatted(duration));
    }

    /** The last value of a key in JSON, if it is a string. The JDK cannot read JSON; your SDK can. */
    static String value(String json, String key) {
        Matcher matcher = Pattern.compile(".*\"" + key + "\": ?\"([^\"]*)\"").matcher(json);
        check(matcher.find(), "There is no " + key + " in " + json);
        return matcher.group(1);
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    /** Checks how often a text occurs in another. */
    static void count(int expected, String part, String whole) {
        var found = whole.split(Pattern.quote(part), -1).length - 1;
        check(found == expected, "expected %d and found %d of %s in %s".formatted(expected, found, part, whole));
    }

    static <E extends Exception> E refused(Class<E> expected, Step<String> step) {
        try {
            throw new AssertionError("It was accepted: " + step.run());
        } catch (Exception thrown) {
            check(expected.isInstance(thrown), "expected " + expected + ", and got " + thrown);
            return expected.cast(thrown);
        }
    }

    public static void main(String[] arguments) throws Exception {
        var tests = new LinkedHashMap<>(FeedbackTest.ALL);
        tests.putAll(RetriesTest.ALL);
        var failed = 0;
        try (var started = FeedbackMock.start()) {
            mock = started;
            for (var test : tests.entrySet()) {
                try (var sandbox = Sandbox.in(mock)) {
                    test.getValue().run(sandbox);
                    System.out.println("ok      " + test.getKey());
                } catch (Exception | AssertionError failure) {
                    failed++;
                    System.out.println("not ok  " + test.getKey() + ": " + failure);
                }
            }
        }
        System.exit(failed == 0 ? 0 : 1);
    }
}
