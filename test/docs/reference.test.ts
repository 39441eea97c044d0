/** The pages of docs/reference are generated from the definitions by `npm run docs:reference`. */
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { commandLinePage } from "../../scripts/reference/command-line.ts";
import { httpPage } from "../../scripts/reference/http.ts";
import { mcpPage } from "../../scripts/reference/mcp.ts";
import { settingsPage } from "../../scripts/reference/settings.ts";
import { vocabularyPage } from "../../scripts/reference/vocabulary.ts";
import { openApplication } from "../../src/application/application.ts";
import { createHttpApi } from "../../src/interfaces/http/http-api.ts";
import { Tokens } from "../../src/interfaces/http/tokens.ts";
import { WebhookSignatures } from "../../src/interfaces/http/webhook-signatures.ts";
import { readSettings } from "../../src/application/settings.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { OPERATOR_LIMITS } from "../../src/questions/limits.ts";
import { root } from "./documents.ts";

async function openSample() {
  const settings = readSettings({ dataDirectory: ":memory:", approval: true, graphTools: "query" }, {});
  const application = await openApplication(settings);
  onTestFinished(() => application.close());
  return application;
}

const PAGES: Readonly<Record<string, () => string | Promise<string>>> = {
  settings: settingsPage,
  "command-line": commandLinePage,
  vocabulary: () => vocabularyPage(root),
  http: async () => {
    const { service, ontologyStore } = await openSample();
    const metrics = await createMetrics(service);
    onTestFinished(() => metrics.close());
    const { routes } = createHttpApi(service, {
      tokens: Tokens.of("reference", [], "reference-0123456789"),
      version: "0",
      graph: { runner: ontologyStore.queryRunner, store: "feedback_data", ...OPERATOR_LIMITS },
      signatures: new WebhookSignatures([`whsec_${Buffer.alloc(32, 1).toString("base64")}`]),
      metrics,
    });
    return httpPage(routes);
  },
  mcp: async () => mcpPage((await openSample()).service),
};

describe("the reference matches the definitions", () => {
  it.each(Object.entries(PAGES))("on the page %s", async (name, page) => {
    await expect(await page()).toMatchFileSnapshot(join(root, "docs/reference", `${name}.md`));
  });
});
