package feedbackmock;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A mock running on a free port of this machine. */
public final class FeedbackMock extends Control implements AutoCloseable {
    private static final List<String> OPTIONS =
        List.of("--port", "0", "--log-format", "json", "--quiet", "--until-stdin-closes");
    private final Process process;

    private FeedbackMock(String url, String token, Process process) {
        super(url, token);
        this.process = process;
    }

    /** Starts the command in the environment variable FEEDBACK_MOCK, or `feedback-mock`. */
    public static FeedbackMock start() throws IOException {
        var named = System.getenv().getOrDefault("FEEDBACK_MOCK", "");
        return start(named.isBlank() ? "feedback-mock" : named, List.of());
    }

    /**
     * Starts a mock with additional options, and returns when it is ready for requests. The command is a path, and may
     * contain spaces. The mock ends when this process ends, even if it is killed.
     */
    public static FeedbackMock start(String command, List<String> options) throws IOException {
        var words = new ArrayList<>(List.of(command));
        words.addAll(OPTIONS);
        words.addAll(options);
        Process process;
        try {
            process = new ProcessBuilder(words).redirectError(Redirect.INHERIT).start();
        } catch (IOException missing) {
            throw new IOException("Cannot start " + command + ": install sentry-feedback-contract, "
                + "or say in FEEDBACK_MOCK where the command is.", missing);
        }
        var output = new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8);
        var ready = new BufferedReader(output).readLine();
        if (ready == null) {
            throw new IOException(command + " did not start.");
        }
        return new FeedbackMock(Sandbox.text(ready, "url"), Sandbox.text(ready, "control_token"), process);
    }

    /** Stops the mock, and returns when it has ended. */
    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }
}
