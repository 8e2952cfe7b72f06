// Starts and stops the mock, and creates projects for tests. The types and descriptions are in mock.d.ts.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Control, ControlProject } from "./control.js";

const OPTIONS = ["--port", "0", "--log-format", "json", "--quiet", "--until-stdin-closes"];
const HINT = "install sentry-feedback-contract, or say in FEEDBACK_MOCK where the command is.";

export class FeedbackMock extends Control {
  static async start({ command = process.env.FEEDBACK_MOCK || "feedback-mock", options = [] } = {}) {
    const mock = spawn(command, [...OPTIONS, ...options], { stdio: ["pipe", "pipe", "inherit"] });
    const line = await new Promise((resolve, reject) => {
      mock.once("error", (error) => reject(new Error(`Cannot start ${command} (${error.message}): ${HINT}`)));
      mock.once("exit", (code) => reject(new Error(`${command} ended with exit code ${code}.`)));
      createInterface(mock.stdout).once("line", resolve);
    });
    for (const each of [mock, mock.stdin, mock.stdout]) each.unref(); // a forgotten stop() does not keep Node running
    const { url, control_token: token } = JSON.parse(line);
    return new FeedbackMock(url, token ?? undefined, mock);
  }

  constructor(url, token, process) {
    super(url, { token });
    this.stop = async () => {
      if (process.exitCode !== null || process.signalCode !== null) return;
      const ended = once(process, "exit");
      process.ref();
      process.kill();
      await ended;
    };
  }
}

export class Sandbox extends ControlProject {
  static async in(control, settings = {}) {
    return new Sandbox(control, await control.makeProject({ clock: { running: false }, ...settings }));
  }

  constructor(control, { organization, project, tokens, dsn }) {
    super(control, organization, project);
    this.tokens = tokens;
    this.dsn = dsn;
    this.feedbackUrl = new URL(`${control.url}/api/0/projects/${organization}/${project}/user-feedback/`).href;
  }

  async fail(...faults) {
    await this.addFaults({ faults });
  }

  async requests(query) {
    return (await this.listRequests(query)).entries;
  }
}
