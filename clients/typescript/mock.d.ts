import { Control, ControlProject, type Entry, type Fault, type MadeProject, type Project } from "./control.js";

/** A running mock on a free port of this machine. */
export declare class FeedbackMock extends Control {
  private constructor();
  /**
   * Starts the command, and returns as soon as it serves requests. The mock ends with this process, however that ends.
   *
   * `command` is one path, blanks and all: FEEDBACK_MOCK's unless given, else `feedback-mock`. `options` are more of its
   * options, such as `["--profile", "sentry-9.1"]`.
   */
  static start(options?: { command?: string; options?: string[] }): Promise<FeedbackMock>;
  /** Stops it, and returns when it has ended. */
  stop(): Promise<void>;
}

/** A project of its own for one test, with its credentials. */
export declare class Sandbox extends ControlProject {
  private constructor();
  /** Makes a project with a slug that nobody has, on any server with this protocol; its clock stands still unless told. */
  static in(control: Control, settings?: MadeProject): Promise<Sandbox>;
  readonly tokens: Project["tokens"];
  readonly dsn: string;
  /** Where feedback is submitted and listed. */
  readonly feedbackUrl: string;
  /** Lets requests fail, by rules that are tried in this order. */
  fail(...faults: Fault[]): Promise<void>;
  /** What was asked of the project, oldest first; secrets are redacted. */
  requests(query?: Parameters<ControlProject["listRequests"]>[0]): Promise<Entry[]>;
}
