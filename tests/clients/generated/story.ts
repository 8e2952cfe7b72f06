// What every generated SDK in TypeScript goes through: submit, overwrite with a DSN, be refused. Prints what it saw.

const EVENT = "7167980ca1db42cdba8d5284e7f81c66";
const OTHER_EVENT = "14bad9a2e3774046977a21440ddb39b2";

/** Where to submit, and one credential. */
export interface Place {
  url: string;
  organization: string;
  project: string;
  scheme: "Bearer" | "DSN";
  credential: string;
}

export interface Submission {
  event_id: string;
  name: string;
  email: string;
  comments: string;
}

export type Saw =
  | { status: number; id: string; comments: string }
  | { status: number; detail: string }
  | { status: number; errors: { [field: string]: unknown } };

/** What a refusal's body says, by the two types that the document gives it. */
export function refused(status: number, error: { detail: string } | { [field: string]: unknown }): Saw {
  return "detail" in error && typeof error.detail === "string"
    ? { status, detail: error.detail }
    : { status, errors: error as { [field: string]: unknown } };
}

export async function tell(submit: (place: Place, submission: Submission) => Promise<Saw>): Promise<void> {
  const told = JSON.parse(process.argv[2]!);
  const place = (scheme: Place["scheme"]): Place => ({
    url: told.url, organization: told.organization, project: told.project, scheme, credential: told[scheme],
  });
  const advance = async (duration: string) => {
    const path = `/_control/projects/${told.organization}/${told.project}/clock/advance`;
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(told.url + path, { method: "POST", headers, body: JSON.stringify({ duration }) });
    if (!answer.ok) throw new Error(await answer.text());
  };
  const jane = { event_id: EVENT, name: "Jane Smith", email: "jane@example.com" };

  const submitted = await submit(place("Bearer"), { ...jane, comments: "It broke!" });
  const overwritten = await submit(place("DSN"), { ...jane, comments: "The button does nothing." });
  await advance("PT5M");
  const atTheLimit = await submit(place("Bearer"), { ...jane, comments: "Still broken." });
  await advance("PT0.000001S");
  const past = await submit(place("Bearer"), { ...jane, comments: "Fixed." });
  const pastWithDsn = await submit(place("DSN"), { ...jane, comments: "Fixed." });
  const invalid = await submit(place("Bearer"), {
    ...jane, event_id: OTHER_EVENT, email: "nobody", comments: "It broke!",
  });
  console.log(JSON.stringify({
    submitted, overwritten, "at the limit": atTheLimit, "past it": past, "past it with the DSN": pastWithDsn, invalid,
  }));
}
