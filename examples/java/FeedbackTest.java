// An SDK's tests against the mock, in one file and with nothing but the JDK: java FeedbackTest.java
// The order: the SDK under test (put yours in its place), the mock, the tests.

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class FeedbackTest {
    static final HttpClient HTTP = HttpClient.newHttpClient();

    // ---- The SDK under test -----------------------------------------------------------------------------------------

    /** 409: the event, or what was submitted for it before, is too old. */
    static class TooLate extends Exception {
        TooLate(String message) {
            super(message);
        }
    }

    /** 400: the message is the server's JSON, which says for each failing field what is wrong with it. */
    static class Invalid extends Exception {
        Invalid(String message) {
            super(message);
        }
    }

    record Submission(String eventId, String name, String email, String comments) {
        String json() {
            return """
                {"event_id": "%s", "name": "%s", "email": "%s", "comments": "%s"}"""
                .formatted(eventId, name, email, comments);
        }
    }

    /** Submits feedback for one project; `authorization` is `Bearer <token>` or `DSN <dsn>`. */
    record FeedbackClient(String baseUrl, String organization, String project, String authorization) {
        /** The feedback as it is stored, in JSON. */
        String submit(Submission submission) throws Exception {
            var url = "%s/api/0/projects/%s/%s/user-feedback/".formatted(baseUrl, organization, project);
            var request = HttpRequest.newBuilder(URI.create(url))
                .header("Authorization", authorization)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(submission.json()))
                .build();
            HttpResponse<String> response = HTTP.send(request, BodyHandlers.ofString());
            return switch (response.statusCode()) {
                case 200 -> response.body();
                case 400 -> throw new Invalid(response.body());
                case 409 -> throw new TooLate(response.body());
                default -> throw new IOException(response.statusCode() + ": " + response.body());
            };
        }
    }

    // ---- The mock ---------------------------------------------------------------------------------------------------

    /** A running mock, on a free port. */
    record Mock(Process process, String url) implements AutoCloseable {
        /** Starts it. It prints one JSON line as soon as it serves requests; nothing to poll, no time to wait. */
        static Mock start() throws IOException {
            var named = System.getenv().getOrDefault("FEEDBACK_MOCK", "");
            var command = new ArrayList<>(List.of(named.isBlank() ? "feedback-mock" : named)); // one path, blanks and all
            // Its stdin ends with this process, however that ends, and the mock with it.
            command.addAll(List.of("--port", "0", "--log-format", "json", "--quiet", "--until-stdin-closes"));
            Process process;
            try {
                process = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
            } catch (IOException missing) {
                throw new IOException("Cannot start " + command.get(0) + ": install sentry-feedback-contract, "
                    + "or say in FEEDBACK_MOCK where the command is.", missing);
            }
            var ready = new BufferedReader(new InputStreamReader(process.getInputStream())).readLine();
            if (ready == null) {
                throw new IOException("The mock did not start.");
            }
            return new Mock(process, value(ready, "url"));
        }

        @Override
        public void close() {
            process.destroy();
            process.onExit().join();
        }
    }

    /** A project of its own for one test: its own credentials, and a clock that stands still until it is moved. */
    record Project(String url, String name, String bearer, String dsn) implements AutoCloseable {
        static Project on(Mock mock, String name) throws Exception {
            var project = new Project(mock.url(), name, "", "");
            var made = project.control("PUT", "", """
                {"clock": {"now": "2026-01-01T00:00:00Z", "running": false}}""");
            return new Project(mock.url(), name, "Bearer " + value(made, "write"), "DSN " + value(made, "dsn"));
        }

        FeedbackClient client(String authorization) {
            return new FeedbackClient(url, "examples", name, authorization);
        }

        void saveEvent(String eventId, String title) throws Exception {
            control("PUT", "/events/" + eventId, "{\"title\": \"%s\"}".formatted(title));
        }

        void advance(String duration) throws Exception {
            control("POST", "/clock/advance", "{\"duration\": \"%s\"}".formatted(duration));
        }

        /** All that is stored, in JSON, oldest first. */
        String feedback() throws Exception {
            return control("GET", "/feedback", "");
        }

        @Override
        public void close() throws Exception {
            control("DELETE", "", "");
        }

        private String control(String method, String path, String body) throws Exception {
            var request = HttpRequest.newBuilder(URI.create(url + "/_control/projects/examples/" + name + path))
                .header("Content-Type", "application/json")
                .method(method, BodyPublishers.ofString(body))
                .build();
            HttpResponse<String> response = HTTP.send(request, BodyHandlers.ofString());
            if (response.statusCode() >= 300) {
                throw new IOException(method + " " + path + ": " + response.statusCode() + " " + response.body());
            }
            return response.body();
        }
    }

    /** The value of a key in JSON, if it is a text; of several the last one. The JDK reads no JSON, your SDK does. */
    static String value(String json, String key) {
        Matcher matcher = Pattern.compile(".*\"" + key + "\": ?\"([^\"]*)\"").matcher(json);
        check(matcher.find(), key + " is in " + json);
        return matcher.group(1);
    }

    // ---- The tests --------------------------------------------------------------------------------------------------

    static final String EVENT = "7167980ca1db42cdba8d5284e7f81c66";
    static final Submission FOUND = new Submission(EVENT, "Jane Smith", "jane@example.com", "It broke!");

    static void feedbackIsStoredWithTheIssueOfItsEvent(Project project) throws Exception {
        project.saveEvent(EVENT, "TypeError: undefined is not a function");

        var stored = project.client(project.bearer()).submit(FOUND);

        check(value(stored, "title").equals("TypeError: undefined is not a function"), stored);
    }

    static void dsnMaySubmit(Project project) throws Exception {
        var stored = project.client(project.dsn()).submit(FOUND);

        check(value(stored, "comments").equals("It broke!"), stored);
    }

    static void retryOverwrites(Project project) throws Exception {
        var client = project.client(project.bearer());
        var first = client.submit(FOUND);

        var second = client.submit(new Submission(EVENT, "Jane Smith", "jane@example.com", "The button does nothing."));

        check(value(second, "id").equals(value(first, "id")), second);
        check(project.feedback().split("first_submitted_at").length == 2, "one record in " + project.feedback());
    }

    static void eventWindowEndsAfterExactly30Minutes(Project project) throws Exception {
        var client = project.client(project.bearer());
        project.saveEvent(EVENT, "Error");
        project.advance("PT30M");
        client.submit(FOUND);

        project.advance("PT0.000001S");

        refused(TooLate.class, () -> client.submit(FOUND));
    }

    static void overwriteWindowEndsAfterExactly5Minutes(Project project) throws Exception {
        var client = project.client(project.bearer());
        client.submit(FOUND);
        project.advance("PT5M");
        client.submit(FOUND);

        project.advance("PT0.000001S");

        refused(TooLate.class, () -> client.submit(FOUND));
    }

    static void invalidFieldsAreNamed(Project project) throws Exception {
        var invalid = new Submission(EVENT, "Jane Smith", "nobody", "It broke!");

        var refusal = refused(Invalid.class, () -> project.client(project.bearer()).submit(invalid));

        check(refusal.getMessage().equals("{\"email\":[\"Enter a valid email address.\"]}"), refusal.getMessage());
    }

    // ---- What a test framework does for you -------------------------------------------------------------------------

    interface Step<T> {
        T run() throws Exception;
    }

    interface Test {
        void run(Project project) throws Exception;
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
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
        var tests = new LinkedHashMap<String, Test>();
        tests.put("feedback-is-stored-with-the-issue-of-its-event", FeedbackTest::feedbackIsStoredWithTheIssueOfItsEvent);
        tests.put("dsn-may-submit", FeedbackTest::dsnMaySubmit);
        tests.put("retry-overwrites", FeedbackTest::retryOverwrites);
        tests.put("event-window-ends-after-exactly-30-minutes", FeedbackTest::eventWindowEndsAfterExactly30Minutes);
        tests.put("overwrite-window-ends-after-exactly-5-minutes", FeedbackTest::overwriteWindowEndsAfterExactly5Minutes);
        tests.put("invalid-fields-are-named", FeedbackTest::invalidFieldsAreNamed);
        var failed = 0;
        try (Mock mock = Mock.start()) {
            for (Map.Entry<String, Test> test : tests.entrySet()) {
                try (Project project = Project.on(mock, test.getKey())) {
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
