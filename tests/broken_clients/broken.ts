// Broken clients in TypeScript: `node broken.js NAME` plays one, `node broken.js` lists them with the rules they break.
// Written for fetch, where redirects, time limits and broken answers are met otherwise than in Python.

interface Try {
  status: number;
  headers: Headers;
  text: string;
}

const given = (name: string): string => process.env[`FEEDBACK_${name}`] ?? "";
const sleep = (seconds: number) => new Promise((wake) => setTimeout(wake, 1000 * seconds));

class Client {
  tries = 4;
  pause = 0.1;
  redirect: RequestRedirect = "manual";
  readonly began = Date.now();

  fields(_number: number): Record<string, unknown> {
    return {
      event_id: given("EVENT_ID"),
      name: given("NAME"),
      email: given("EMAIL"),
      comments: given("COMMENTS"),
    };
  }

  headers(): Record<string, string> {
    return { Authorization: `DSN ${given("DSN")}`, "Content-Type": "application/json" };
  }

  body(number: number): string | Uint8Array {
    return JSON.stringify(this.fields(number));
  }

  signal(): AbortSignal | undefined {
    return AbortSignal.timeout(1000);
  }

  async send(number: number): Promise<Try> {
    const answer = await fetch(given("ENDPOINT"), {
      method: "POST",
      headers: this.headers(),
      body: this.body(number),
      redirect: this.redirect,
      signal: this.signal(),
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  async run(): Promise<number> {
    for (let number = 0; number < this.tries; number++) {
      let answer: Try;
      try {
        answer = await this.send(number);
      } catch {
        await sleep(this.pause * 2 ** number);
        continue;
      }
      if (answer.status === 200) return this.stored(answer);
      const wait = this.wait(answer);
      if (wait === undefined) return this.failed(`the server answered ${answer.status}`);
      await sleep(wait);
    }
    return this.failed("no answer");
  }

  wait(answer: Try): number | undefined {
    const said = answer.headers.get("retry-after");
    if (said !== null && [429, 503].includes(answer.status)) {
      const seconds = /^\d+$/.test(said) ? Number(said) : (Date.parse(said) - Date.now()) / 1000 + 0.05;
      return seconds > 5 ? undefined : Math.max(seconds, 0);
    }
    return answer.status >= 500 || answer.status === 429 ? this.pause : undefined;
  }

  async stored(answer: Try): Promise<number> {
    try {
      console.log(`stored as ${JSON.parse(answer.text).id ?? "?"}`);
    } catch {
      console.log("stored, as far as can be told");
    }
    return 0;
  }

  failed(why: string): number {
    console.error(`The feedback was not delivered: ${why}.`);
    return 1;
  }
}

const BROKEN: Record<string, [string[], new () => Client]> = {
  "ts-sound": [[], Client],
  "ts-text": [
    ["content-type"],
    class extends Client {
      headers() {
        const { Authorization } = super.headers();
        return { Authorization }; // fetch says text/plain of a text by itself
      }
    },
  ],
  "ts-undefined": [
    ["required-fields", "valid-body"],
    class extends Client {
      fields(number: number) {
        return { ...super.fields(number), comments: undefined };
      }
    },
  ],
  "ts-object-object": [
    ["values"],
    class extends Client {
      fields(number: number) {
        return { ...super.fields(number), comments: `${{ text: given("COMMENTS") }}` };
      }
    },
  ],
  "ts-uri-encoded": [
    ["values"],
    class extends Client {
      fields(number: number) {
        return { ...super.fields(number), comments: encodeURI(given("COMMENTS")) };
      }
    },
  ],
  "ts-cut-in-a-pair": [
    ["values"],
    class extends Client {
      fields(number: number) {
        return { ...super.fields(number), comments: given("COMMENTS").slice(0, 40) };
      }
    },
  ],
  "ts-bytes-of-utf16": [
    ["valid-body"], // letters become control characters, which JSON excludes
    class extends Client {
      body(number: number) {
        return Uint8Array.from(JSON.stringify(this.fields(number)), (each) => each.charCodeAt(0) & 0x7f);
      }
    },
  ],
  "ts-key-in-referer": [
    ["secret-in-header"],
    class extends Client {
      headers() {
        return { ...super.headers(), "X-Forwarded-Dsn": given("DSN") };
      }
    },
  ],
  "ts-logs-error-with-config": [
    ["secret-printed"],
    class extends Client {
      failed(why: string) {
        console.error(JSON.stringify({ why, config: this.headers() }));
        return 1;
      }
    },
  ],
  "ts-retries-all-4xx": [
    ["conflict-final", "invalid-final", "unauthorized-final", "forbidden-final", "not-found-final", "too-large-final"],
    class extends Client {
      wait(answer: Try) {
        return super.wait(answer) ?? (answer.status < 500 && answer.status !== 429 ? 0.1 : undefined);
      }
    },
  ],
  "ts-retries-unreadable-for-ever": [
    ["unreadable-answer", "ends"],
    class extends Client {
      async stored(answer: Try): Promise<number> {
        for (;;) {
          try {
            JSON.parse(answer.text);
            return super.stored(answer);
          } catch {
            await sleep(0.5);
          }
        }
      }
    },
  ],
  "ts-all-at-once": [
    ["one-at-a-time", "success-final"], // it waits for the Retry-After of one, though the other was stored
    class extends Client {
      async send(number: number) {
        return Promise.any([super.send(number), super.send(number)]);
      }
    },
  ],
  "ts-gives-up-at-once": [
    ["retry-lost"],
    class extends Client {
      tries = 1;
    },
  ],
  "ts-new-id-each-time": [
    ["retry-same"],
    class extends Client {
      fields(number: number) {
        const id = number === 0 ? given("EVENT_ID") : crypto.randomUUID().replaceAll("-", "");
        return { ...super.fields(number), event_id: id };
      }
    },
  ],
  "ts-seconds-as-milliseconds": [
    ["retry-after-429", "retry-after-503", "retry-after-date"],
    class extends Client {
      wait(answer: Try) {
        const wait = super.wait(answer);
        return wait === undefined || answer.headers.get("retry-after") === null ? wait : wait / 1000;
      }
    },
  ],
  "ts-nan-after-a-date": [
    ["retry-after-date"],
    class extends Client {
      wait(answer: Try) {
        const said = answer.headers.get("retry-after") ?? "";
        return said.includes("GMT") ? Number(said) || 0 : super.wait(answer);
      }
    },
  ],
  "ts-hot-loop": [
    ["retry-pace"],
    class extends Client {
      tries = 25;
      pause = 0;
    },
  ],
  "ts-swallows": [
    ["reports-refusal", "reports-outage"],
    class extends Client {
      failed() {
        return 0;
      }
    },
  ],
  "ts-unhandled": [
    ["reports-success"],
    class extends Client {
      async stored(answer: Try): Promise<number> {
        throw new TypeError(`Unexpected status ${answer.status}`);
      }
    },
  ],
};

const name = process.argv[2];
if (name === undefined) {
  console.log(JSON.stringify(Object.fromEntries(Object.entries(BROKEN).map(([each, [rules]]) => [each, rules]))));
} else {
  const client = BROKEN[name][1];
  process.exitCode = await new client().run();
}
