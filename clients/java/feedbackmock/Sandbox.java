package feedbackmock;

import java.io.IOException;
import java.util.regex.Pattern;

/** A project of its own for one test, with its credentials; closing it deletes the project. */
public final class Sandbox extends Control.Project implements AutoCloseable {
    /** A bearer token that may submit. */
    public final String writeToken;
    /** A bearer token that may only list. */
    public final String readToken;
    public final String dsn;
    /** Where feedback is submitted and listed. */
    public final String feedbackUrl;

    private Sandbox(Control control, String made) {
        super(control, text(made, "organization"), text(made, "project"));
        writeToken = text(made, "write");
        readToken = text(made, "read");
        dsn = text(made, "dsn");
        feedbackUrl = "%s/api/0/projects/%s/%s/user-feedback/".formatted(control.url(), organization(), project());
    }

    /** Makes a project with a slug that nobody has, whose clock stands still. */
    public static Sandbox in(Control control) throws IOException, InterruptedException {
        return in(control, """
            {"clock": {"running": false}}""");
    }

    /** Makes a project with a slug that nobody has, with these settings. */
    public static Sandbox in(Control control, String settings) throws IOException, InterruptedException {
        return new Sandbox(control, control.makeProject(settings));
    }

    /** Lets requests fail, by rules that are tried in this order. */
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

    /** The text of a key that JSON has once, null if it is none; what is read by this has no escapes in it. */
    static String text(String json, String key) {
        var found = Pattern.compile("\"" + key + "\": ?\"([^\"\\\\]*)\"").matcher(json);
        return found.find() ? found.group(1) : null;
    }
}
