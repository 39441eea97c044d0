import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openApplication, type Application } from "../../src/application/application.ts";
import { openHttpService } from "../../src/application/http-service.ts";
import { silentLogger } from "../../src/log.ts";
import { readSettings, type Settings } from "../../src/application/settings.ts";
import { call, workplace } from "./command-process.ts";

interface Decided {
  text: string;
  customer?: string;
  decision?: "approve" | "edit" | "reject";
  sentiment?: string;
  categories?: string[];
}

type Place = ReturnType<typeof workplace>;

const settingsOf = ({ cwd, env }: Place, others: Partial<Settings> = {}): Settings =>
  readSettings(
    {
      dataDirectory: join(cwd, ".abi-workflows"),
      customerSource: env["CUSTOMER_SOURCE"]!,
      approval: true,
      logLevel: "silent",
      ...others,
    },
    {},
  );

/** A folder with feedback that Eve has decided on. */
async function decideAll({ workflow }: Application, all: readonly Decided[]): Promise<void> {
  for (const [at, { text, customer = "C-1", decision = "approve", ...labels }] of all.entries()) {
    const { workflow_id: id = "" } = await workflow.run({
      feedback_id: `F-${at + 1}`,
      customer_id: customer,
      subject: "Hello",
      feedback_text: text,
    });
    const { rendering } = (await workflow.getPendingResponse(id))!;
    const decided = { rendering, by: "Eve", ...labels };
    if (decision === "approve") await workflow.approveResponse(id, decided);
    else if (decision === "edit") await workflow.editResponse(id, { ...decided, text: "My words." });
    else await workflow.rejectResponse(id, decided);
    await workflow.getWorkflowResult(id);
  }
}

async function reviewed(all: readonly Decided[], place = workplace()): Promise<Place> {
  const application = await openApplication(settingsOf(place), silentLogger);
  await decideAll(application, all);
  await application.close();
  return place;
}

const rows = ({ cwd }: Place, name: string): Record<string, unknown>[] =>
  readFileSync(join(cwd, "labels", name, "reviewed.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const PERSONAL =
  "I love how Thomas Brandtner rang me at +49 30 1234567, says Ann (ann@example.com, order AB-12345).\n\nKind regards\nAnn Ford";

const DECIDED: Decided[] = [
  { text: PERSONAL, decision: "reject", sentiment: "negative", categories: ["service", "billing"] },
  { text: "Great search, thank you." },
  { text: "It crashes, and I was charged twice.", decision: "edit", categories: ["general"] },
  { text: "The new design is lovely.", decision: "reject" },
];

test("writes labels that reviewers stated or approved, and none if nobody said what is right", async () => {
  const place = await reviewed(DECIDED);
  const { code, stdout, stderr } = await call(["export-labels", "labels"], place);
  expect(code).toBe(0);
  expect(stdout).toBe(
    "Written to labels: 2 sentiment labels, 3 category labels.\n2 texts with labels that reviewers corrected.\n",
  );
  expect(stderr).toContain("1 text left out: edited or rejected, and nobody said which labels are right.");
  expect(rows(place, "sentiment")).toEqual([
    { text: expect.stringContaining("I love how"), label: "negative", source: "stated" },
    { text: "Great search, thank you.", label: "positive", source: "approved" },
  ]);
  const scope = ["product", "service", "pricing", "usability", "performance", "bug", "security", "billing", "legal"];
  expect(rows(place, "categories")).toEqual([
    { text: expect.stringContaining("I love how"), labels: ["service", "billing"], scope, source: "stated" },
    { text: "Great search, thank you.", labels: [], scope, source: "approved" },
    { text: "It crashes, and I was charged twice.", labels: [], scope, source: "stated" },
  ]);
  expect(statSync(join(place.cwd, "labels/sentiment/reviewed.jsonl")).mode & 0o077).toBe(0);

  const evaluated = await call(["eval", "labels", "--json"], place);
  expect(JSON.parse(evaluated.stdout)).toMatchObject({
    folder: "labels",
    analyzers: [{ name: "guide" }, { name: "embedded", sentiment: { pooled: { texts: 2 } } }],
  });
});

test("does not count an approval for a label if the analyser was in doubt or could not read the text", async () => {
  const ironic = "If you love sitting in silence for an hour, call them.";
  const place = await reviewed([
    { text: ironic },
    { text: "Très mauvais service, je suis déçu." },
    { text: ironic, sentiment: "negative" },
    { text: "Très mauvais service, je suis déçu.", sentiment: "negative", categories: ["service"] },
  ]);
  const { stderr } = await call(["export-labels", "labels", "--raw-texts"], place);
  expect(stderr).toContain("2 texts approved although the analyser was in doubt or couldn't read the text");
  expect(stderr).not.toContain("left out");
  expect(rows(place, "sentiment").map(({ label, source }) => [label, source])).toEqual([
    ["negative", "stated"],
    ["negative", "stated"],
  ]);
  // The doubt is about the sentiment, not about the categories.
  expect(rows(place, "categories").map(({ text, source }) => [String(text).slice(0, 4), source])).toEqual([
    ["If y", "approved"],
    ["If y", "approved"],
    ["Très", "stated"],
  ]);
});

test("masks the author and people named in the text, unless raw texts are requested", async () => {
  const place = await reviewed(DECIDED);
  const masked = await call(["export-labels", "labels", "--json"], place);
  expect(JSON.parse(masked.stdout)).toEqual({
    folder: "labels",
    masked: true,
    sentiment: 2,
    categories: 3,
    corrected: 2,
    unlabelled: 1,
    uncertain: 0,
  });
  const all = JSON.stringify([rows(place, "sentiment"), rows(place, "categories")]);
  for (const personal of ["Thomas", "Brandtner", "1234567", "example.com", "12345", "Ann", "Ford", "F-1", "C-1", "Eve"])
    expect(all).not.toContain(personal);
  expect(rows(place, "sentiment")[0]!["text"]).toMatch(/^I love how ___ .*me at ___, says ___/);

  const raw = await call(["export-labels", "labels", "--raw-texts"], place);
  expect(raw.stderr).toContain("The texts are as customers wrote them. They may name people");
  // Without the signature, which was not judged either.
  expect(rows(place, "sentiment")[0]!["text"]).toBe(PERSONAL.split("\n")[0]);
});

test("masks the customer's name, address and ids, even if they are ordinary words", async () => {
  const place = workplace();
  const customers = ["7,Rose Will,happy.may@example.com,standard,100", "8,Bo Lund,bo@example.com,standard,100"];
  writeFileSync(join(place.cwd, "customers.csv"), ["id,name,email,segment,lifetime_value", ...customers].join("\n"));
  const text = "I love the search, says Rose Will of 7. Write to Happy May about F-1.";
  const all = [
    { text, customer: "7" },
    { text, customer: "8" },
  ];
  await reviewed(all, place);
  await call(["export-labels", "labels"], place);
  expect(rows(place, "sentiment").map((row) => row["text"])).toEqual([
    "I love the search, says ___ of ___. Write to ___ about ___.",
    // Nothing here is about Bo Lund, except the "F" of his own F-2.
    text.replace("F-1", "___-1"),
  ]);
});

test("reads the graph of a running service", async () => {
  const place = workplace();
  const settings = settingsOf(place, { httpPort: 0, httpTokens: "boss:admin:boss-0123456789abcdef" });
  const application = await openApplication(settings, silentLogger);
  const options = { version: "0.0.0", localToken: "local-0123456789abcdef", logger: silentLogger };
  const service = await openHttpService(application, settings, options);
  onTestFinished(async () => {
    await service.close();
    await application.close();
  });
  await decideAll(application, DECIDED.slice(0, 2));
  const env = { ...place.env, ABI_TOKEN: "boss-0123456789abcdef" };
  expect(await call(["export-labels", "labels", "--url", service.url], { ...place, env })).toMatchObject({ code: 0 });
  expect(rows(place, "sentiment").map(({ label }) => label)).toEqual(["negative", "positive"]);
});

test("says how to get labels if there are none, and writes nothing", async () => {
  const place = workplace();
  const { code, stderr } = await call(["export-labels", "labels"], place);
  expect(code).toBe(1);
  expect(stderr).toContain("they come from decisions in the approval queue (APPROVAL=on)");
  expect(existsSync(join(place.cwd, "labels"))).toBe(false);
});

test("refuses a folder that can't be written", async () => {
  const place = await reviewed(DECIDED.slice(0, 1));
  const { code, stderr } = await call(["export-labels", "customers.csv"], place);
  expect(code).toBe(1);
  expect(stderr).toContain("The labels can't be written to customers.csv.");
});

test("requires a name for the folder", async () => {
  expect(await call(["export-labels", ""], workplace())).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Name the folder to write the labels to."),
  });
});
