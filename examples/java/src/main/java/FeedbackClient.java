// The SDK under test, as small as possible: put yours in its place.

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.OptionalLong;

/** Submits feedback for one project; `authorization` is `Bearer <token>` or `DSN <dsn>`. */
public record FeedbackClient(
        String baseUrl, String organization, String project, String authorization, Duration timeout) {
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    public record Submission(String eventId, String name, String email, String comments) {
        String json() {
            return """
                {"event_id": "%s", "name": "%s", "email": "%s", "comments": "%s"}"""
                .formatted(escaped(eventId), escaped(name), escaped(email), escaped(comments));
        }

        /** As a JSON string. The JDK cannot write JSON; your SDK can. */
        private static String escaped(String text) {
            var json = new StringBuilder();
            text.chars().forEach(each ->
                json.append(each < ' ' || each == '"' || each == '\\' ? "\\u%04x".formatted(each) : (char) each));
            return json.toString();
        }
    }

    /** 409: the event, or its earlier feedback, is too old. */
    public static class TooLate extends Exception {
        TooLate(String message) {
            super(message);
        }
    }

    /** 400: the message is the server's JSON, which says what is wrong with each invalid field. */
    public static class Invalid extends Exception {
        Invalid(String message) {
            super(message);
        }
    }

    /** Any other response: `retryAfter` is in seconds, if the server sends it. */
    public static class ServerError extends Exception {
        final int status;
        final OptionalLong retryAfter;

        ServerError(HttpResponse<String> response) {
            super("The server answered " + response.statusCode() + ": " + response.body());
            status = response.statusCode();
            retryAfter = response.headers().firstValueAsLong("Retry-After");
        }
    }

    /** The feedback as stored, in JSON. Retries once if the network fails: within 5 minutes, that is safe. */
    public String submit(Submission submission) throws Exception {
        HttpResponse<String> response;
        try {
            response = post(submission);
        } catch (IOException lost) {
            response = post(submission);
        }
        return switch (response.statusCode()) {
            case 200 -> stored(response.body());
            case 400 -> throw new Invalid(response.body());
            case 409 -> throw new TooLate(response.body());
            default -> throw new ServerError(response);
        };
    }

    private HttpResponse<String> post(Submission submission) throws Exception {
        var url = "%s/api/0/projects/%s/%s/user-feedback/".formatted(baseUrl, organization, project);
        var request = HttpRequest.newBuilder(URI.create(url))
            .timeout(timeout)
            .header("Authorization", authorization)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(submission.json()))
            .build();
        return HTTP.send(request, BodyHandlers.ofString());
    }

    /** The JDK cannot read JSON; your SDK can. This only checks the end and looks for an id. */
    private static String stored(String body) throws IOException {
        if (!body.endsWith("}") || !body.contains("\"id\":")) {
            throw new IOException("This is not the feedback: " + body);
        }
        return body;
    }
}
