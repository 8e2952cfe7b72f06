// openapi-typescript writes the types, openapi-fetch is the client.

import createClient from "openapi-fetch";
import type { components, paths } from "./generated/schema.js";
import { refused, tell } from "./story.js";

await tell(async (place, submission) => {
  const client = createClient<paths>({ baseUrl: place.url });
  const { data, error, response } = await client.POST(
    "/api/0/projects/{organization_slug}/{project_slug}/user-feedback/",
    {
      params: { path: { organization_slug: place.organization, project_slug: place.project } },
      headers: { Authorization: `${place.scheme} ${place.credential}` },
      body: submission,
    },
  );
  if (data) return { status: response.status, id: data.id, comments: data.comments };
  const typed: components["schemas"]["Problem"] | components["schemas"]["FieldErrors"] = error;
  return refused(response.status, typed);
});
