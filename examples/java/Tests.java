// What a test framework does for you: one mock for all tests, a project for each, and a line that says how each went.

import java.util.LinkedHashMap;
import java.util.regex.Pattern;

final class Tests {
    interface Step<T> {
        T run() throws Exception;
    }

    interface Test {
        void run(FeedbackMock.Project project) throws Exception;
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    /** Checks that a text is in another so many times. */
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
        try (var mock = FeedbackMock.start()) {
            for (var test : tests.entrySet()) {
                try (var project = FeedbackMock.Project.on(mock.url(), test.getKey())) {
                    test.getValue().run(project);
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
