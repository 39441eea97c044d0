import { expect, it } from "vitest";
import { scopesOf } from "../../src/interfaces/http/route.ts";
import { startHttpService } from "../support/http-service.ts";

it("every operation of a service can be called over HTTP, with its own scope", async () => {
  const { service, routes } = await startHttpService();
  const lines = service.operations.map(({ operation, workflow }) => {
    const name = `${workflow?.name ?? "*"} ${operation.name}`;
    const ways = routes
      .filter(({ operations }) => operations.includes(operation))
      .map(({ method, path, access }) => {
        // The approval routes find out which workflow the run belongs to, and require its scope.
        expect({ name, scopes: scopesOf({ access, operations: [operation] }) }).toEqual({
          name,
          scopes: [operation.scope],
        });
        return `${method} ${path}`;
      });
    return `${name}: ${ways.join(", ")}`;
  });
  expect(lines).toEqual([
    "customer-feedback process_customer_feedback: POST /workflows/customer-feedback, POST /tools/process_customer_feedback",
    "customer-feedback analyze_feedback_sentiment: POST /tools/analyze_feedback_sentiment",
    "customer-feedback categorize_feedback_text: POST /tools/categorize_feedback_text",
    "customer-feedback get_pending_response: GET /approvals/:workflow_id",
    "customer-feedback approve_response: POST /approvals/:workflow_id/approve",
    "customer-feedback edit_response: POST /approvals/:workflow_id/edit",
    "customer-feedback reject_response: POST /approvals/:workflow_id/reject",
    "customer-feedback list_held_mails: POST /workflows/customer-feedback/operations/list_held_mails",
    "customer-feedback get_held_mail: POST /workflows/customer-feedback/operations/get_held_mail",
    "customer-feedback assign_held_mail: POST /workflows/customer-feedback/operations/assign_held_mail",
    "customer-feedback dismiss_held_mail: POST /workflows/customer-feedback/operations/dismiss_held_mail",
    "customer-feedback list_feedback: POST /workflows/customer-feedback/operations/list_feedback",
    "customer-feedback get_feedback: POST /workflows/customer-feedback/operations/get_feedback",
    "customer-feedback run_batch: POST /workflows/customer-feedback/batch",
    "refund request_refund: POST /workflows/refund, POST /tools/request_refund",
    "refund get_refund_limit: POST /tools/get_refund_limit",
    "refund run_batch: POST /workflows/refund/batch",
    "* refresh_customer: POST /pipelines/customer-data/refresh_customer",
    "* import_customers: POST /pipelines/customer-data/import_customers",
    "* list_runs: GET /runs, GET /runs/events",
    "* get_run: GET /runs/:workflow_id",
    "* get_run_history: GET /runs/:workflow_id/history",
    "* list_run_events: GET /runs/:workflow_id/events",
    "* cancel_run: POST /runs/:workflow_id/cancel",
    "* retry_run: POST /runs/:workflow_id/retry",
    "* list_approvals: GET /approvals",
    "* receive_event: POST /events",
    "* ingest_mail: POST /mail",
    "* query_graph: GET /sparql, POST /sparql",
  ]);
});

it("a tool's route is for agents, and operations for people have their own routes", async () => {
  const { routes } = await startHttpService();
  const audiencesBelow = (prefix: RegExp): Set<string> =>
    new Set(
      routes.flatMap(({ path, operations }) => (prefix.test(path) ? operations.map(({ audience }) => audience) : [])),
    );
  expect(audiencesBelow(/^\/tools\//)).toEqual(new Set(["agent"]));
  expect(audiencesBelow(/^\/approvals/)).toEqual(new Set(["person"]));
  expect(audiencesBelow(/_held_mails?$/)).toEqual(new Set(["person"]));
  expect(audiencesBelow(/^\/(?!approvals|.*_held_mails?$)/)).toEqual(new Set(["agent", "operator"]));
});
