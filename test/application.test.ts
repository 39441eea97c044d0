import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openApplication } from "../src/application.ts";
import { silentLogger } from "../src/log.ts";
import { readSettings } from "../src/settings.ts";
import { feedback } from "./support/feedback.ts";
import { temporaryFolder } from "./support/folder.ts";
import { startSparqlEndpoint, type Access } from "./support/sparql-endpoint.ts";

const CUSTOMERS = "id,name,email\nC-1,Ada,ada@example.net\n";

async function openOn(environment: Record<string, string>) {
  const folder = temporaryFolder();
  const customerSource = join(folder, "customers.csv");
  writeFileSync(customerSource, CUSTOMERS);
  const settings = readSettings({ dataDirectory: join(folder, "data"), customerSource }, environment);
  const application = await openApplication(settings, silentLogger);
  onTestFinished(() => application.close());
  return application;
}

describe("an application with a SPARQL endpoint in its settings", () => {
  it.each<[string, Access, (host: string) => Record<string, string>]>([
    [
      "user and password in the URL",
      { scheme: "basic", user: "jo", password: "s3cret" },
      (host) => ({ ONTOLOGY_URL: `http://jo:s3cret@${host}/sparql` }),
    ],
    [
      "Digest and URLs of their own for updates and graphs",
      { scheme: "digest", user: "jo", password: "s3cret", algorithm: "SHA-256" },
      (host) => ({
        ONTOLOGY_URL: `http://jo:s3cret@${host}/sparql`,
        ONTOLOGY_UPDATE_URL: `http://${host}/sparql?for=updates`,
        ONTOLOGY_GRAPH_STORE_URL: `http://${host}/graphs`,
        ONTOLOGY_AUTHENTICATION: "digest",
      }),
    ],
    [
      "a token",
      { scheme: "bearer", token: "t0ken" },
      (host) => ({ ONTOLOGY_URL: `http://${host}/sparql`, ONTOLOGY_TOKEN: "t0ken" }),
    ],
  ])("keeps its knowledge there, let in by %s", async (_, access, environment) => {
    const endpoint = await startSparqlEndpoint({ access });
    const { workflow, ontologyStore } = await openOn(environment(new URL(endpoint.origin).host));
    expect(await workflow.run(feedback())).toMatchObject({ success: true });
    expect(await ontologyStore.listStores()).toEqual(["customer_data", "feedback_data"]);
    expect(endpoint.size()).toBeGreaterThan(10);
  });

  it("that does not let it in is no affair of the caller, who learns no more than a code", async () => {
    const endpoint = await startSparqlEndpoint({ access: { scheme: "basic", user: "jo", password: "other" } });
    const { workflow } = await openOn({ ONTOLOGY_URL: `http://jo:s3cret@${new URL(endpoint.origin).host}/sparql` });
    const result = await workflow.run(feedback());
    expect(result).toMatchObject({ success: false, error_code: "access_denied", retriable: false });
    expect(result).toMatchObject({
      error: "The SPARQL endpoint can't be used with the settings that are made here. The log says what to correct.",
    });
    expect(JSON.stringify(result)).not.toMatch(/s3cret|127\.0\.0\.1/);
  });
});
