// The mock, for tests: starts the command, and makes projects by its control protocol.

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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A running mock, on a free port. */
public record FeedbackMock(Process process, String url) implements AutoCloseable {
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    /** Starts it. It prints one JSON line as soon as it serves requests; nothing to poll, no time to wait. */
    static FeedbackMock start() throws IOException {
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
        return new FeedbackMock(process, value(ready, "url"));
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }

    /** A project of its own for one test: its own credentials, and a clock that stands still until it is moved. */
    record Project(String url, String name, String bearer, String dsn) implements AutoCloseable {
        static Project on(String url, String name) throws Exception {
            var project = new Project(url, name, "", "");
            var made = project.control("PUT", "", """
                {"clock": {"now": "2026-01-01T00:00:00Z", "running": false}}""");
            return new Project(url, name, "Bearer " + value(made, "write"), "DSN " + value(made, "dsn"));
        }

        FeedbackClient client(String authorization) {
            return client(authorization, Duration.ofMinutes(1));
        }

        FeedbackClient client(String authorization, Duration timeout) {
            return new FeedbackClient(url, "examples", name, authorization, timeout);
        }

        void saveEvent(String eventId, String title) throws Exception {
            control("PUT", "/events/" + eventId, "{\"title\": \"%s\"}".formatted(title));
        }

        void advance(String duration) throws Exception {
            control("POST", "/clock/advance", "{\"duration\": \"%s\"}".formatted(duration));
        }

        /** Lets requests fail, by a rule as in the control protocol. */
        void fail(String fault) throws Exception {
            control("POST", "/faults", "{\"faults\": [%s]}".formatted(fault));
        }

        /** What was asked of the project, in JSON, oldest first; secrets are redacted. */
        String requests() throws Exception {
            return control("GET", "/requests", "");
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
        if (!matcher.find()) {
            throw new AssertionError("There is no " + key + " in " + json);
        }
        return matcher.group(1);
    }
}
