package feedbackmock;

import java.io.IOException;
import java.util.regex.Pattern;

/** A project for a single test, with its credentials. Closing it deletes the project. */
public final class Sandbox extends Control.Project implements AutoCloseable {
    /** A bearer token that can submit feedback. */
    public final String writeToken;
    /** A bearer token that can only list feedback. */
    public final String readToken;
    public final String dsn;
    /** The URL for submitting and listing feedback. */
    public final String feedbackUrl;

    private Sandbox(Control control, String made) {
        super(control, text(made, "organization"), text(made, "project"));
        writeToken = text(made, "write");
        readToken = text(made, "read");
        dsn = text(made, "dsn");
        feedbackUrl = "%s/api/0/projects/%s/%s/user-feedback/".formatted(control.url(), organization(), project());
    }

    /** Creates a project with an unused slug and a frozen clock. */
    public static Sandbox in(Control control) throws IOException, InterruptedException {
        return in(control, """
            {"clock": {"running": false}}""");
    }

    /** Creates a project with an unused slug and these settings. */
    public static Sandbox in(Control control, String settings) throws IOException, InterruptedException {
        return new Sandbox(control, control.makeProject(settings));
    }

    /** Makes requests fail. The rules are tried in order. */
    public void fail(String... faults) throws IOException, InterruptedException {
        addFaults("{\"faults\": [" + String.join(",", faults) + "]}");
    }

    @Override
    public void close() throws IOException {
        try {
            deleteProject();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The string value of a key in JSON, or null. For slugs, tokens and URLs, which contain no escapes. */
    static String text(String json, String key) {
        var found = Pattern.compile("\"" + key + "\": ?\"([^\"\\\\]*)\"").matcher(json);
        return found.find() ? found.group(1) : null;
    }
}
