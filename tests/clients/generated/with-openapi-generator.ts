// OpenAPI Generator's typescript-fetch: a refusal is a ResponseError with the response in it.

import { Configuration, ProblemFromJSON, ResponseError, UserFeedbackApi, type Problem } from "./generated/index.js";
import { tell } from "./story.js";

await tell(async (place, submission) => {
  const credentials =
    place.scheme === "DSN" ? { apiKey: `DSN ${place.credential}` } : { accessToken: place.credential };
  const api = new UserFeedbackApi(new Configuration({ basePath: place.url, ...credentials }));
  try {
    const feedback = await api.submitUserFeedback({
      organizationSlug: place.organization,
      projectSlug: place.project,
      userFeedbackSubmission: {
        eventId: submission.event_id,
        name: submission.name,
        email: submission.email,
        comments: submission.comments,
      },
    });
    return { status: 200, id: feedback.id, comments: feedback.comments };
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    const { status } = error.response;
    const body = await error.response.json();
    if (status === 400) return { status, errors: body };
    const problem: Problem = ProblemFromJSON(body);
    return { status, detail: problem.detail };
  }
});
