import { tidyIdentifier } from "../../tidy-identifier.ts";
import type { Workflow } from "../../framework/workflow.ts";
import { jsonBody } from "./body.ts";
import { addRoute, errorResponse, json, type WorkflowRouter } from "./workflow-router.ts";

/** Adds the two routes of a workflow to a router; see `Workflow.as_api`. */
export function addWorkflowRoutes(router: WorkflowRouter, workflow: Workflow): void {
  const { name, process } = workflow;
  const respond = async (answer: () => Promise<Response>): Promise<Response> => {
    try {
      return await answer();
    } catch (error) {
      workflow.logUnexpected(error);
      return errorResponse(error);
    }
  };
  addRoute(router, "POST", `/workflows/${name}`, ({ req }) =>
    respond(async () => {
      const { identity, id } = await workflow.submit(await jsonBody(req.raw), { via: "http", fixed: [] });
      return json({ status: "processing", ...identity, workflow_id: id }, 202);
    }),
  );
  addRoute(router, "GET", `/workflows/${name}/:key`, ({ req }) =>
    respond(async () => {
      const key = tidyIdentifier(req.param("key") ?? "");
      const view = await workflow.view(key);
      return json({ [process.key]: key, ...view }, view.status === "not_found" ? 404 : 200);
    }),
  );
}
