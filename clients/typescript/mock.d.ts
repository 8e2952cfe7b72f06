import { Control, ControlProject, type Entry, type Fault, type MadeProject, type Project } from "./control.js";

/** A mock running on a free port of this machine. */
export declare class FeedbackMock extends Control {
  private constructor();
  /**
   * Starts the mock, and resolves when it is ready for requests. The mock ends when this process ends, even if it is
   * killed.
   *
   * `command` is the path of the command, and may contain spaces. It defaults to the environment variable
   * FEEDBACK_MOCK, or to `feedback-mock`. `options` are additional options, such as `["--profile", "sentry-9.1"]`.
   */
  static start(options?: { command?: string; options?: string[] }): Promise<FeedbackMock>;
  /** Stops the mock, and resolves when it has ended. */
  stop(): Promise<void>;
}

/** A project for a single test, with its credentials. */
export declare class Sandbox extends ControlProject {
  private constructor();
  /** Creates a project with an unused slug on a server. Its clock is frozen, unless the settings say otherwise. */
  static in(control: Control, settings?: MadeProject): Promise<Sandbox>;
  readonly tokens: Project["tokens"];
  readonly dsn: string;
  /** The URL for submitting and listing feedback. */
  readonly feedbackUrl: string;
  /** Makes requests fail. The rules are tried in order. */
  fail(...faults: Fault[]): Promise<void>;
  /** The requests to the project, oldest first, with secrets redacted. */
  requests(query?: Parameters<ControlProject["listRequests"]>[0]): Promise<Entry[]>;
}
