import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CategoryRow, SentimentRow } from "../../evaluation/labelled-sets.ts";
import type { TrainedWeights } from "../../src/analysis/embedded/trained-weights.ts";
import { yarnShop } from "../../evaluation/scripts/yarn-shop.ts";
import { serve } from "../support/http.ts";
import { madeUpWord } from "../support/made-up-word.ts";
import { call, FEEDBACK, workplace } from "./command-process.ts";

type Place = ReturnType<typeof workplace>;

const YARN = yarnShop(700);
const WORDS = Array.from({ length: 40 }, (_, at) => madeUpWord(at));
const [LABELS, OTHERS] = [YARN.slice(0, 300), YARN.slice(300)];

function write({ cwd }: Place, folder: string, kind: "sentiment" | "categories", rows: readonly object[]): void {
  mkdirSync(join(cwd, folder, kind), { recursive: true });
  writeFileSync(join(cwd, folder, kind, "own.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
}

function yarnPlace(labels: readonly SentimentRow[] = LABELS): Place {
  const place = workplace();
  write(place, "labels", "sentiment", labels);
  return place;
}

const weightsFile = ({ cwd }: Place): string => join(cwd, ".abi-workflows/trained-weights.json");

interface Scores {
  name: string;
  version: string;
  sentiment: { mean: number };
}

async function scoresOf(place: Place, folder: string): Promise<Record<string, Scores>> {
  const { stdout } = await call(["eval", folder, "--analyzer", "shipped", "embedded", "--json"], place);
  const { analyzers } = JSON.parse(stdout) as { analyzers: Scores[] };
  return Object.fromEntries(analyzers.map((one) => [one.name, one]));
}

/** Which analysers judged a piece of feedback. */
async function analyzersOf(place: Place): Promise<string> {
  const query =
    "SELECT ?name ?version { ?f abi:id 'F-1' ; abi:analyzedBy/abi:sentimentAnalyzer ?a . ?a abi:name ?name ; abi:version ?version }";
  return (await call(["query", query], place)).stdout;
}

test("learns the words of a domain, puts the trained version in the provenance, and can be reset", async () => {
  const place = yarnPlace();
  write(place, "others", "sentiment", OTHERS);
  const { code, stdout, stderr } = await call(["train", "labels"], place);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Sentiment: \d+ positive, \d+ negative, \d+ neutral$/m);
  expect(stdout).toMatch(/^macro-F1 +0\.2\d\d +0\.[89]\d\d$/m);
  expect(stdout).toContain("\nAccepted.\n");
  const [, version] = /Stored as version ([0-9a-f]{12})/.exec(stderr) ?? [];
  expect(version).toBeDefined();
  expect(statSync(weightsFile(place)).mode & 0o077).toBe(0);

  // On texts that were not used for training.
  const { shipped, embedded } = await scoresOf(place, "others");
  expect(embedded!.sentiment.mean).toBeGreaterThan(shipped!.sentiment.mean + 0.4);
  expect(embedded!.version).toBe(`${shipped!.version}+${version}`);

  const yarn = FEEDBACK.with(7, LABELS.find(({ label }) => label === "negative")!.text);
  const processed = await call(["process", ...yarn, "--json"], place);
  expect(JSON.parse(processed.stdout)).toMatchObject({ success: true, sentiment: "negative" });
  expect(await analyzersOf(place)).toContain(`+${version}`);
  expect((await call(["status"], place)).stderr).toContain(`The text analysis is trained: version ${version}, `);
  // Weights that were trained here don't affect a service.
  const service = await serve({ json: { runs: [] } });
  const elsewhere = await call(["status"], { ...place, env: { ...place.env, ABI_URL: service.origin } });
  expect(elsewhere).toMatchObject({ code: 0, stderr: expect.not.stringContaining("trained") });
  await call(["backup", "copy"], place);
  expect(readFileSync(join(place.cwd, "copy/trained-weights.json"))).toEqual(readFileSync(weightsFile(place)));

  expect((await call(["train", "--reset"], place)).stderr).toContain("Removed.");
  expect(existsSync(weightsFile(place))).toBe(false);
  const again = await scoresOf(place, "others");
  expect(again["embedded"]!.version).toBe(shipped!.version);
  expect(again["embedded"]!.sentiment.mean).toBe(shipped!.sentiment.mean);
  expect((await call(["status"], place)).stderr).not.toContain("trained");
  expect((await call(["train", "--reset"], place)).stderr).toContain("Nothing was trained here");
});

test("produces the same version for the same labels", async () => {
  const trained = await Promise.all(
    [LABELS, LABELS].map(async (labels) =>
      JSON.parse((await call(["train", "labels", "--json"], yarnPlace(labels))).stdout),
    ),
  );
  expect(trained[0]).toEqual(trained[1]);
  expect(trained[0]).toMatchObject({ taken: true, version: expect.stringMatching(/^[0-9a-f]{12}$/) });
});

test("rejects weights that are no better on unseen texts, and says so with figures", async () => {
  // Labels that are unrelated to the words.
  const wrong = LABELS.map(({ text }, at) => ({ text, label: LABELS[(at * 7 + 1) % LABELS.length]!.label }));
  const place = yarnPlace(wrong);
  const { code, stdout, stderr } = await call(["train", "labels"], place);
  expect(stdout).toMatch(/^macro-F1 +0\.\d{3} +0\.\d{3}$/m);
  expect({ code, isKept: existsSync(weightsFile(place)) }).toEqual({ code: 1, isKept: false });
  expect(stdout).toMatch(/corrected, \d+ newly wrong\.\nNot accepted: it is (?:no better|better by so little)/);
  expect(stderr).toContain("nothing has changed");
});

test("rejects weights that would thank more unhappy customers, however good they are otherwise", async () => {
  // Every eighth text of praise is labelled as a complaint, with the same words.
  const praise = LABELS.filter(({ label }) => label === "positive");
  const ironic = new Set(praise.filter((_, at) => at % 8 === 0));
  const place = yarnPlace(LABELS.map((row) => (ironic.has(row) ? { ...row, label: "negative" } : row)));
  const { code, stdout } = await call(["train", "labels"], { ...place, env: { ...place.env, THANK_ABOVE: "0.3" } });
  const [, before, after] = /^unhappy customers thanked +(\S+) +(\S+)$/m.exec(stdout) ?? [];
  expect(Number(after)).toBeGreaterThan(Number(before));
  expect(stdout).toContain("Not accepted: it would thank more unhappy customers.");
  expect({ code, isKept: existsSync(weightsFile(place)) }).toEqual({ code: 1, isKept: false });

  // With a higher bound for praise, none of those is thanked, and the same weights are accepted.
  const careful = await call(["train", "labels"], { ...place, env: { ...place.env, THANK_ABOVE: "0.75" } });
  expect(careful).toMatchObject({ code: 0, stdout: expect.stringContaining("\nAccepted.\n") });
});

test.each([
  ["too few labels", LABELS.slice(0, 60)],
  ["a sentiment missing", LABELS.filter(({ label }) => label !== "neutral")],
  [
    "other languages alone",
    LABELS.map(({ label }) => ({ text: "Das gefällt mir überhaupt nicht, es ist schlecht.", label })),
  ],
])("refuses %s, and says what it accepts", async (_, labels) => {
  const place = yarnPlace(labels);
  const { code, stderr } = await call(["train", "labels"], place);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /too few labels.*100 labelled texts in English, 15 of each sentiment \(there are \d+ positive, /s,
  );
  expect(existsSync(weightsFile(place))).toBe(false);
});

test("learns how much evidence a category requires, without missing texts that escalate", async () => {
  const scope = ["product", "bug"];
  // In this domain, a lone "design" is not about a product, and "error" does not mean a bug.
  const rows: CategoryRow[] = WORDS.flatMap((word, at) => [
    { text: `The design of ${word} is on page ${at}.`, labels: [], scope },
    { text: `There was an error in ${word}.`, labels: [], scope },
    { text: `Great quality and a lovely design, ${word}.`, labels: ["product"], scope },
    { text: `It crashes and shows an error in ${word}.`, labels: ["bug"], scope },
    // A few are labelled as a bug, and would be missed if the category required more evidence.
    ...(at % 8 === 0 ? [{ text: `There was an error on page ${word}.`, labels: ["bug"], scope }] : []),
  ]);
  const place = workplace();
  write(place, "labels", "categories", rows);
  const { code, stdout } = await call(["train", "labels"], place);
  expect(code).toBe(0);
  expect(stdout).toContain("Not accepted: it takes 100 labelled texts in English");
  expect(stdout).toMatch(/^product +40 +0\.\d+ +1\.000 +accepted$/m);
  const { categories, sentiment } = JSON.parse(readFileSync(weightsFile(place), "utf8")) as Record<string, object>;
  expect(stdout).toMatch(/^bug +45 +0\.\d+ +0\.\d+ +unchanged$/m);
  expect(categories).not.toHaveProperty("bug");
  expect({ categories, sentiment }).toMatchObject({
    categories: { product: expect.any(Number) },
    sentiment: undefined,
  });
});

const BOUNDED: CategoryRow[] = WORDS.flatMap((word, at) => [
  { text: `The design of ${word} is on page ${at}.`, labels: [], scope: ["product"] },
  { text: `Great quality and a lovely design, ${word}.`, labels: ["product"], scope: ["product"] },
]);

const KEPT = "What was trained before stays in use.";

test("keeps the weights for one question when those for the other are trained or rejected", async () => {
  const place = yarnPlace();
  write(place, "categories", "categories", BOUNDED);
  const weights = () => JSON.parse(readFileSync(weightsFile(place), "utf8")) as TrainedWeights;
  await call(["train", "labels"], place);
  const first = weights();
  expect(first).toMatchObject({ texts: { sentiment: 300, categories: 0 } });

  const second = await call(["train", "categories"], place);
  expect(second).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Not accepted: .*\nWhat was trained before stays/m),
  });
  const both = weights();
  expect(both).toMatchObject({ sentiment: first.sentiment, texts: { sentiment: 300, categories: 80 } });
  expect(both.categories).toEqual({ product: expect.any(Number) });
  expect(both.version).not.toBe(first.version);

  // Labels that are unrelated to the words, and the labels of the categories in use.
  const wrong = LABELS.map(({ text }, at) => ({ text, label: LABELS[(at * 7 + 1) % LABELS.length]!.label }));
  write(place, "wrong", "sentiment", wrong);
  write(place, "wrong", "categories", BOUNDED);
  const refused = await call(["train", "wrong"], place);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("nothing has changed") });
  expect(refused.stdout.split(KEPT)).toHaveLength(3);
  expect(refused.stdout).toMatch(/^product +40 +0\.\d+ +1\.000 +1\.000 +unchanged$/m);
  expect(weights()).toEqual(both);

  const again = await call(["train", "labels"], place);
  expect(again).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`Categories: too few labels for any category\n${KEPT}`),
  });
  expect(again.stdout).toMatch(/^on held-out texts +as shipped +in use +trained$/m);
  expect(again.stdout).toContain('The figures "in use" may be too good');
  expect(weights()).toMatchObject({ version: both.version, categories: both.categories, sentiment: first.sentiment });
});

test("rejects weights that do worse than those in use, which were trained on more texts", async () => {
  const place = yarnPlace();
  await call(["train", "labels"], place);
  const kept = readFileSync(weightsFile(place), "utf8");
  write(place, "few", "sentiment", LABELS.slice(0, 110));
  const { code, stdout } = await call(["train", "few"], place);
  expect(stdout).toContain("Not accepted: the weights in use do better, and were trained on more texts");
  expect({ code, kept: readFileSync(weightsFile(place), "utf8") }).toEqual({ code: 1, kept });
  await call(["train", "--reset"], place);
  expect(await call(["train", "few"], place)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("\nAccepted.\n"),
  });
});

test("replaces trained weights that are damaged", async () => {
  const place = yarnPlace();
  await call(["train", "labels"], place);
  const whole = JSON.parse(readFileSync(weightsFile(place), "utf8")) as TrainedWeights;
  writeFileSync(weightsFile(place), "{");
  expect(await call(["train", "labels"], place)).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(weightsFile(place), "utf8"))).toMatchObject({ version: whole.version });
});

test.each<[string, (text: string) => string]>([
  ["cut off", (text) => text.slice(0, 1000)],
  ["empty", () => ""],
  ["changed by hand", (text) => text.replace(/"positive":[-\d.]+/, '"positive":0.4321')],
  ["something else", () => '{"version":"1"}'],
])("says what to do about trained weights that are %s", async (_, damage) => {
  const place = yarnPlace();
  await call(["train", "labels"], place);
  writeFileSync(weightsFile(place), damage(readFileSync(weightsFile(place), "utf8")));
  const processed = await call(["process", ...FEEDBACK, "--json"], place);
  expect(processed.code).toBe(1);
  expect(JSON.parse(processed.stdout)).toMatchObject({
    error_code: "trained_weights_damaged",
    error: expect.stringContaining('"abi-workflows train --reset"'),
  });
  await call(["train", "--reset"], place);
  expect(await call(["process", ...FEEDBACK], place)).toMatchObject({ code: 0 });
});

test("status says what was trained, or what is wrong with it, even if nothing has been processed", async () => {
  const place = yarnPlace();
  await call(["train", "labels"], place);
  const status = async () => (await call(["status"], place)).stderr;
  expect(await status()).toMatch(/^No runs here yet\.\nThe text analysis is trained: version [0-9a-f]{12}, /);
  writeFileSync(weightsFile(place), "{");
  expect(await call(["status"], place)).toMatchObject({ code: 1, stderr: expect.stringContaining("is damaged") });
  rmSync(weightsFile(place));
  mkdirSync(weightsFile(place));
  expect(await status()).toContain("remove it to go back to the weights that ship");
});

test("ignores weights that were trained for another version, and says so", async () => {
  const place = yarnPlace();
  await call(["train", "labels"], place);
  const { versionOf } = await import("../../src/analysis/embedded/read-trained-weights.ts");
  const weights = JSON.parse(readFileSync(weightsFile(place), "utf8")) as Parameters<typeof versionOf>[0] & object;
  const base = { sentiment: "1", categories: "1" };
  writeFileSync(weightsFile(place), JSON.stringify({ ...weights, base, version: versionOf(weights, base) }));
  const processed = await call(["process", ...FEEDBACK], { ...place, env: { ...place.env, LOG_LEVEL: "warn" } });
  expect(processed).toMatchObject({ code: 0, stderr: expect.stringContaining("belong to another version") });
  expect(await analyzersOf(place)).not.toContain("+");
  expect((await call(["status"], place)).stderr).toContain("The text analysis is as shipped");
  const evaluated = await call(["eval", "labels", "--analyzer", "embedded"], place);
  expect(evaluated).toMatchObject({ code: 0, stderr: expect.stringContaining("embedded is as shipped") });
});

test("requires a folder or --reset, and a data directory", async () => {
  const place = yarnPlace();
  expect(await call(["train"], place)).toMatchObject({ code: 2, stderr: expect.stringContaining("--reset") });
  expect(await call(["train", "labels", "--reset"], place)).toMatchObject({ code: 2 });
  expect(await call(["train", "nowhere"], place)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no folder"),
  });
  const nowhere = await call(["train", "labels", "--data", ":memory:"], place);
  expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining("name a folder with --data") });
});
