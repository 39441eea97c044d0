import { join } from "node:path";
import pMap from "p-map";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../support/folder.ts";
import { conformance, conformanceWorkflows, greet } from "../../support/mcp-conformance.ts";
import { startMcp } from "../../support/mcp.ts";

const TODAY = ["--spec-version", "2026-07-28"];
const BEFORE = ["--spec-version", "2025-11-25"];

/** Scenarios for features that we offer, and the checks in them that don't apply to our server. */
const SCENARIOS: [scenario: string, args: string[], inapplicable?: string[]][] = [
  ["tools-list", TODAY],
  ["resources-list", TODAY],
  ["prompts-list", TODAY],
  ["caching", TODAY],
  ["http-header-validation", TODAY],
  ["sep-2164-resource-not-found", TODAY],
  ["server-sse-multiple-streams", TODAY],
  ["input-required-result-unsupported-methods", TODAY],
  [
    "server-stateless",
    TODAY,
    // test_missing_capability, test_streaming_elicitation and test_logging_tool: we require no capability, request no form and log nothing.
    [
      "sep-2575-server-rejects-undeclared-capability",
      "sep-2575-missing-capability-http-400",
      "sep-2575-http-server-no-independent-requests-on-stream",
      "sep-2575-server-no-log-without-loglevel",
    ],
  ],
  ["server-initialize", BEFORE],
  ["ping", BEFORE],
  ["tools-list", BEFORE],
  ["resources-list", BEFORE],
  ["prompts-list", BEFORE],
  // protocol_error_job: an error in a run is reported as its result.
  ["tasks-lifecycle", [], ["sep-2663-tasks-get-status-failed"]],
  ["tasks-capability-negotiation", []],
  ["tasks-wire-fields", []],
  ["tasks-request-state-removal", []],
  // The text of our results is JSON, so the result of `greet` is not just the greeting.
  ["tasks-request-headers", [], ["tasks-headers-tolerate-mcp-method-on-tools-call"]],
  // confirm_delete: requests a form.
  ["tasks-dispatch-and-envelope", [], ["tasks-result-type-complete-on-non-task-responses"]],
];

it("the server passes the applicable checks of MCP's conformance suite, for both protocol versions and for tasks", async () => {
  const more = (engine: Parameters<typeof conformanceWorkflows>[0]) => ({
    workflows: conformanceWorkflows(engine),
    operations: [greet],
  });
  const { url } = await startMcp({}, { more });
  const folder = temporaryFolder();
  const outcomes = await pMap(
    SCENARIOS,
    async ([scenario, args, inapplicable = []], index) => {
      const checks = await conformance(url, scenario, args, join(folder, String(index)));
      const passed = checks.filter(({ status }) => status === "SUCCESS").length;
      const failed = checks.filter(({ id, status }) => status === "FAILURE" && !inapplicable.includes(id));
      return { scenario, passed: passed > 0, failed };
    },
    { concurrency: 4 },
  );
  expect(outcomes).toEqual(SCENARIOS.map(([scenario]) => ({ scenario, passed: true, failed: [] })));
});
