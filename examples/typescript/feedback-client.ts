// The SDK under test, as small as possible: put yours in its place.

export interface Submission {
  event_id: string;
  name: string;
  email: string;
  comments: string;
}

export interface Feedback {
  id: string;
  eventID: string;
  name: string;
  email: string;
  comments: string;
  dateCreated: string;
  issue: { title: string } | null;
}

/** 409: the event, or its earlier feedback, is too old. */
export class TooLate extends Error {}

/** 400: `errors` says what is wrong with each invalid field. */
export class Invalid extends Error {
  constructor(readonly errors: Record<string, string[]>) {
    super(`The feedback is invalid: ${JSON.stringify(errors)}`);
  }
}

/** Any other response: `retryAfter` is in seconds, if the server sends it. */
export class ServerError extends Error {
  constructor(
    readonly status: number,
    readonly retryAfter: number | null,
  ) {
    super(`The server answered ${status}.`);
  }
}

/** Submits feedback for one project; `authorization` is `Bearer <token>` or `DSN <dsn>`. */
export class FeedbackClient {
  constructor(
    private readonly baseUrl: string,
    private readonly organization: string,
    private readonly project: string,
    private readonly authorization: string,
    private readonly http: typeof fetch = fetch,
  ) {}

  /** The feedback as stored. Retries once if the network fails: within 5 minutes, that is safe. */
  async submit(submission: Submission): Promise<Feedback> {
    const [response, body] = await this.post(submission).catch(() => this.post(submission));
    if (response.status === 409) throw new TooLate(JSON.parse(body).detail);
    if (response.status === 400) throw new Invalid(JSON.parse(body));
    if (!response.ok) {
      const seconds = response.headers.get("Retry-After");
      throw new ServerError(response.status, seconds === null ? null : Number(seconds));
    }
    return JSON.parse(body);
  }

  /** The body is read here because it can get lost even after the status has arrived. */
  private async post(submission: Submission): Promise<[Response, string]> {
    const response = await this.http(`${this.baseUrl}/api/0/projects/${this.organization}/${this.project}/user-feedback/`, {
      method: "POST",
      headers: { Authorization: this.authorization, "Content-Type": "application/json" },
      body: JSON.stringify(submission),
    });
    return [response, await response.text()];
  }
}
