import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { serve } from "../support/http.ts";
import { createProject, filesOf, readDocument, root, runNode } from "./documents.ts";

interface OtlpTraces {
  resourceSpans: { scopeSpans: { scope: { name: string }; spans: { name: string; traceId: string }[] }[] }[];
}

it("the SDK of the page on watching receives a run as one trace, and nothing about the customer", async () => {
  const collector = await serve({ json: {} });
  const cwd = createProject(filesOf("docs/watching.md"));
  const args = [
    "process",
    "--feedback-id",
    "F-1",
    "--customer-id",
    "C-1001",
    "--subject",
    "Search",
    "--text",
    "I love it!",
  ];
  const { code } = await runNode(["--import", "./tracing.js", join(root, "bin/abi-workflows.js"), ...args], {
    cwd,
    env: {
      CUSTOMER_SOURCE: "customers.csv",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_NODE_RESOURCE_DETECTORS: "env,host",
    },
  });
  expect(code).toBe(0);
  const bodies = collector.requests.filter(({ path }) => path === "/v1/traces").map(({ body }) => body);
  const spans = bodies
    .flatMap((body) => (JSON.parse(body) as OtlpTraces).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans)
    .filter(({ scope }) => scope.name === "abi-workflows")
    .flatMap((scopeSpans) => scopeSpans.spans);
  const traceOf = (name: string): string | undefined => spans.find((span) => span.name === name)?.traceId;
  const [accepted, ...others] = [
    "accept customer-feedback",
    "step response_sent",
    "send mail",
    "run customer-feedback",
  ];
  expect(traceOf(accepted)).toBeDefined();
  expect(others.map(traceOf)).toEqual(others.map(() => traceOf(accepted)));
  for (const secret of ["C-1001", "F-1", "I love it!", "Mira Okafor", "mira.okafor@example.com"])
    expect(bodies.join("\n")).not.toContain(secret);
});

describe("the metrics of the page on watching", () => {
  const page = readDocument("docs/watching.md");

  it("are exactly those that its program serves", async () => {
    const cwd = createProject(filesOf("docs/watching.md"));
    const { code, stdout, stderr } = await runNode(["server.ts"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const rows = page.matchAll(/^\| `(abi_\w+)` +\| (\w+)/gm);
    const documented = [...rows].map(([, name, type]) => `${name} ${type}`).toSorted();
    const served = [...stdout.matchAll(/^# TYPE (abi_\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    expect(documented).toEqual(served.toSorted());
  });

  it("include all those that its alerts use", () => {
    const names = new Set([...page.matchAll(/^\| `(abi_\w+)`/gm)].map(([, name]) => name));
    const [alerts = ""] = /^groups:[^`]*/m.exec(page) ?? [];
    const used = [...alerts.matchAll(/\babi_\w+/g)].map(([name]) => name.replace(/_count$/, ""));
    expect(used.length).toBeGreaterThan(5);
    expect(used.filter((name) => !names.has(name))).toEqual([]);
  });
});
