// @sentry/api, Sentry's own REST client, as it is published: its types know a bearer token only, and no error's body.

import { submitUserFeedback } from "@sentry/api";
import { refused, tell } from "./story.js";

await tell(async (place, submission) => {
  const { data, error, response } = await submitUserFeedback({
    baseUrl: place.url,
    path: { organization_id_or_slug: place.organization, project_id_or_slug: place.project },
    body: submission,
    ...(place.scheme === "Bearer"
      ? { auth: place.credential }
      : { headers: { Authorization: `DSN ${place.credential}` } }),
  });
  if (!response) throw error;
  if (data) return { status: response.status, id: data.id, comments: data.comments };
  return refused(response.status, error as { detail: string } | { [field: string]: string[] });
});
