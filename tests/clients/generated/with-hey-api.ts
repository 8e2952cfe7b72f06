// @hey-api/openapi-ts writes types and functions; credentials are given by the kind that the document names.

import { createClient } from "./generated/client/index.js";
import { submitUserFeedback, type SubmitUserFeedbackErrors } from "./generated/index.js";
import { refused, tell } from "./story.js";

await tell(async (place, submission) => {
  const client = createClient({
    baseUrl: place.url,
    auth: (scheme) => {
      if (scheme.type === "http") return place.scheme === "Bearer" ? place.credential : undefined;
      return place.scheme === "DSN" ? `DSN ${place.credential}` : undefined;
    },
  });
  const { data, error, response } = await submitUserFeedback({
    client,
    path: { organization_slug: place.organization, project_slug: place.project },
    body: submission,
  });
  if (!response) throw error;
  if (data) return { status: response.status, id: data.id, comments: data.comments };
  const typed: SubmitUserFeedbackErrors[400] | SubmitUserFeedbackErrors[409] = error;
  return refused(response.status, typed);
});
