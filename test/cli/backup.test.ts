import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { DurableEngine, OxigraphOntologyStore, select, type Run } from "../../src/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { call, FEEDBACK, parseLines, RunningCommand, workplace } from "./command-process.ts";

const ROWS = Array.from({ length: 150 }, (_, n) => `F-${n}`);

/** A folder with a file of feedback, every third piece of which becomes a ticket. */
function placeWithBatch(): ReturnType<typeof workplace> {
  const place = workplace();
  const row = (id: string, n: number) => ({
    feedback_id: id,
    customer_id: n % 3 === 0 ? "C-2" : "C-1",
    subject: id,
    feedback_text: `I love the new design, it is great! (${n})`,
  });
  writeFileSync(join(place.cwd, "rows.jsonl"), ROWS.map((id, n) => JSON.stringify(row(id, n))).join("\n"));
  return { ...place, env: { ...place.env, RESPONSE_CAP: "1000" } };
}

async function runsIn(folder: string): Promise<Run[]> {
  const engine = new DurableEngine({ path: join(folder, "data.sqlite"), worker: false });
  const runs = await engine.list({ limit: 1000 });
  await engine.close();
  return runs;
}

/** Ids of feedback in the graph, once for each value of the property. */
async function feedbackIn(folder: string, property: string): Promise<string[]> {
  const store = await OxigraphOntologyStore.open({ path: join(folder, "data.sqlite") });
  const sparql = `PREFIX abi: <http://example.org/abi#> SELECT ?id { ?f a abi:Feedback ; abi:id ?id ; ${property} ?value }`;
  const rows = await select(store, "feedback_data", sparql);
  await store.close();
  return rows.map(({ id }) => id!.value).toSorted();
}

describe("backup", () => {
  it("copies runs and graph at the same moment, even while a batch runs, and the batch can continue from the last copy", async () => {
    const place = placeWithBatch();
    const batch = new RunningCommand(["batch", "rows.jsonl", "--json"], place);
    await batch.lines(5);
    for (const name of ["b1", "b2", "b3", "b4"]) {
      expect(await call(["backup", name, "--json"], place)).toMatchObject({ code: 0, stderr: "" });
      const folder = join(place.cwd, name);
      const runs = await runsIn(folder);
      const stored = await feedbackIn(folder, "abi:timestamp");
      // Everything that a run has recorded is in the graph, and everything in the graph has a run.
      expect(stored).toEqual(expect.arrayContaining(keysWith(runs, "feedback_stored")));
      expect(runs.map(({ key }) => key)).toEqual(expect.arrayContaining(stored));
    }
    batch.kill("SIGKILL");
    await batch.ended;

    const restored = ["--data", "b4"];
    const { code, stdout } = await call([...restored, "batch", "rows.jsonl", "--json"], place);
    expect(code).toBe(0);
    expect(parseLines(stdout).filter(({ success }) => success === true)).toHaveLength(ROWS.length);
    const folder = join(place.cwd, "b4");
    for (const property of ["abi:timestamp", "abi:responseSent", "abi:responseTime"]) {
      expect(await feedbackIn(folder, property)).toEqual(ROWS.toSorted());
    }
    expect(readdirSync(join(folder, "outbox"))).toHaveLength(ROWS.length);
  });

  it("never overwrites anything, and says if there is nothing to copy", async () => {
    const place = workplace();
    expect(await call(["backup", "b"], place)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/nothing to back up/),
    });
    await call(["process", ...FEEDBACK], place);
    mkdirSync(join(place.cwd, "b"));
    writeFileSync(join(place.cwd, "b", "mine"), "");
    expect(await call(["backup", "b"], place)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/b is not empty/),
    });
    expect(readdirSync(join(place.cwd, "b"))).toEqual(["mine"]);
    expect(await call(["backup", join("b", "mine")], place)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^[^\n]*mine is a file. Name a folder[^\n]*\n$/),
    });
    const { stdout } = await call(["backup", "c"], place);
    expect(stdout).toBe("Copied to c: data.sqlite, outbox\n");
    expect(readdirSync(join(place.cwd, "c")).toSorted()).toEqual(["data.sqlite", "outbox"]);
  });

  it.skipIf(process.platform === "win32")("prevents others from reading it, even in an existing folder", async () => {
    const place = workplace();
    await call(["process", ...FEEDBACK], place);
    const mode = (...path: string[]) => statSync(join(place.cwd, ...path)).mode & 0o777;
    mkdirSync(join(place.cwd, "there"));
    chmodSync(join(place.cwd, "there"), 0o755);
    for (const folder of ["there", "new"]) {
      expect(await call(["backup", folder], place)).toMatchObject({ code: 0 });
      expect(mode(folder)).toBe(0o700);
      expect(mode(folder, "data.sqlite")).toBe(0o600);
    }
  });

  it.each<[string, (cwd: string) => string]>([
    ["outbox:", () => "outbox:mails"],
    ["outbox://", () => "outbox://mails"],
    ["file:///", (cwd) => pathToFileURL(join(cwd, "mails")).href],
  ])("finds the emails that %s has written", async (_, url) => {
    const { cwd, env } = workplace();
    const place = { cwd, env: { ...env, MAIL_URL: url(cwd) } };
    await call(["process", ...FEEDBACK], place);
    const { stdout } = await call(["backup", "b", "--json"], place);
    expect(JSON.parse(stdout)).toMatchObject({
      copied: ["data.sqlite", "mails"],
      kept_elsewhere: [],
    });
    expect(readdirSync(join(cwd, "b", "mails"))).toHaveLength(1);
    const elsewhere = { cwd, env: { ...env, MAIL_URL: "smtp://127.0.0.1:1" } };
    const without = await call(["backup", "c", "--json"], elsewhere);
    expect(JSON.parse(without.stdout)).toMatchObject({
      copied: ["data.sqlite"],
      kept_elsewhere: ["MAIL_URL"],
    });
  });

  it("says what is stored elsewhere", async () => {
    const place = workplace();
    await call(["process", ...FEEDBACK], place);
    const env = { ...place.env, ONTOLOGY_URL: "http://127.0.0.1:1/sparql" };
    const { stdout } = await call(["backup", join(temporaryFolder(), "b"), "--json"], { ...place, env });
    expect(JSON.parse(stdout)).toMatchObject({ copied: ["data.sqlite", "outbox"], kept_elsewhere: ["ONTOLOGY_URL"] });

    rmSync(join(place.cwd, ".abi-workflows", "data.sqlite"));
    const neither = { ...env, DATABASE_URL: "postgres://127.0.0.1:1/none" };
    const rest = await call(["backup", join(temporaryFolder(), "b"), "--json"], { ...place, env: neither });
    expect(JSON.parse(rest.stdout)).toMatchObject({
      copied: ["outbox"],
      kept_elsewhere: ["DATABASE_URL", "ONTOLOGY_URL"],
    });
  });
});

const keysWith = (runs: readonly Run[], step: string): string[] =>
  runs.filter(({ stepsCompleted }) => stepsCompleted.includes(step)).map(({ key }) => key);
