// The mock, for tests: starts the command, and makes projects by its control protocol.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A running mock, on a free port. */
export class FeedbackMock {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  /** Starts it. It prints one JSON line as soon as it serves requests; nothing to poll, no time to wait. */
  static async start(): Promise<FeedbackMock> {
    const command = process.env.FEEDBACK_MOCK || "feedback-mock"; // one path, blanks and all
    // Its stdin ends with this process, however that ends, and the mock with it.
    const mock = spawn(command, ["--port", "0", "--log-format", "json", "--quiet", "--until-stdin-closes"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const line = await new Promise<string>((resolve, reject) => {
      const hint = "install sentry-feedback-contract, or say in FEEDBACK_MOCK where the command is.";
      mock.once("error", (error) => reject(new Error(`Cannot start ${command} (${error.message}): ${hint}`)));
      mock.once("exit", (code) => reject(new Error(`${command} ended with exit code ${code}.`)));
      createInterface(mock.stdout).once("line", resolve);
    });
    return new FeedbackMock(JSON.parse(line).url, mock);
  }

  async stop(): Promise<void> {
    const ended = once(this.process, "exit");
    this.process.kill();
    await ended;
  }

  /** A new project of the given name, with its own credentials and a clock that stands still. */
  async project(name: string): Promise<Project> {
    const project = new Project(this.url, "examples", name);
    const clock = { now: "2026-01-01T00:00:00Z", running: false };
    const { tokens, dsn } = await project.control("PUT", "", { clock });
    return Object.assign(project, { bearer: `Bearer ${tokens.write}`, dsn: `DSN ${dsn}` });
  }
}

/** One request to the project, as the mock received it: status 0 where it was not answered. */
export interface JournaledRequest {
  status: number;
  rule: string | null;
  headers: Record<string, string>;
  body: unknown;
}

/** Which requests fail, and how: a rule as in the control protocol. */
export interface Fault {
  effect: { connection: string } | { status: number; retry_after?: number } | { delay: string } | { broken_body: string };
  phase?: "before" | "after";
  times?: number;
}

/** A project of its own for one test; durations are ISO 8601 texts, exact to the microsecond. */
export class Project {
  bearer = "";
  dsn = "";

  constructor(
    readonly url: string,
    readonly organization: string,
    readonly name: string,
  ) {}

  /** Says that an event was saved now, or so long ago. */
  async saveEvent(eventId: string, event: { saved_ago?: string; title?: string } = {}): Promise<void> {
    await this.control("PUT", `/events/${eventId}`, event);
  }

  async advance(duration: string): Promise<void> {
    await this.control("POST", "/clock/advance", { duration });
  }

  /** All that is stored, oldest first. */
  async feedback(): Promise<{ id: string; comments: string }[]> {
    return this.control("GET", "/feedback");
  }

  /** Lets requests fail; `after` means that the feedback is stored first. */
  async fail(fault: Fault): Promise<void> {
    await this.control("POST", "/faults", { faults: [fault] });
  }

  /** What was asked of the project, oldest first; secrets are redacted. */
  async requests(): Promise<JournaledRequest[]> {
    const { entries } = await this.control("GET", "/requests");
    return entries.map(({ request, response, _feedback }: any) => ({
      status: response.status,
      rule: _feedback.rule,
      headers: Object.fromEntries(request.headers.map(({ name, value }: any) => [name, value])),
      body: request.postData && JSON.parse(request.postData.text),
    }));
  }

  async delete(): Promise<void> {
    await this.control("DELETE", "");
  }

  async control(method: string, path: string, body?: object): Promise<any> {
    const response = await fetch(`${this.url}/_control/projects/${this.organization}/${this.name}${path}`, {
      method,
      headers: { "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text && JSON.parse(text);
  }
}
