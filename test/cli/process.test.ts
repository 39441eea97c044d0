import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { serve } from "../support/http.ts";
import { call, callProcess, FEEDBACK, workplace } from "./command-process.ts";

test("processes feedback once: the second call prints the first result, and there is no second email", async () => {
  const place = workplace();
  const first = await call(["process", ...FEEDBACK], place);
  const second = await call(["process", ...FEEDBACK, "--json"], place);

  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toContain("✓ Feedback F-1 from customer C-1");
  expect(first.stdout).toMatch(/sentiment +positive/);
  expect(first.stdout).toContain("answered by email");
  expect(second.code).toBe(0);
  expect(JSON.parse(second.stdout)).toMatchObject({ success: true, duplicate: true, action: "auto_respond" });
  const mails = readdirSync(join(place.cwd, ".abi-workflows/outbox"));
  expect(mails).toHaveLength(1);
  expect(first.stdout).toContain(mails[0]);
});

test("creates a temporary outbox only for an email, and says where that is", async () => {
  const { cwd, env } = workplace();
  const TMPDIR = temporaryFolder();
  const process = (...options: string[]) =>
    callProcess(["process", ...FEEDBACK, "--data", ":memory:", ...options], { cwd, env: { ...env, TMPDIR } });
  const outboxes = (): string[] => readdirSync(TMPDIR).filter((name) => name.includes("outbox"));
  expect(await process("--no-response")).toMatchObject({ code: 0 });
  expect(outboxes()).toEqual([]);
  const { stdout } = await process();
  const [outbox = ""] = outboxes();
  const [mail = ""] = readdirSync(join(TMPDIR, outbox));
  expect(stdout).toContain(join(outbox, mail));
});

test("says that doubtful praise gets no thanks, and that a text could not be read", async () => {
  const place = workplace();
  const irony = FEEDBACK.with(7, "If you love sitting in silence for an hour, call them.");
  expect((await call(["process", ...irony], place)).stdout).toMatch(
    /sentiment +positive 0\.\d\d, doubtful: not thanked\n/,
  );
  const french = FEEDBACK.with(1, "F-2").with(7, "Très mauvais service, je suis déçu.");
  expect((await call(["process", ...french], place)).stdout).toMatch(/sentiment +neutral, not read\n/);
  const rows = ["feedback_id,customer_id,subject,feedback_text"];
  for (const [at, text] of [irony[7], irony[7], french[7]].entries()) rows.push(`F-1${at},C-1,Hi,"${text}"`);
  writeFileSync(join(place.cwd, "rows.csv"), rows.join("\n"));
  const batch = await call(["batch", "rows.csv", "--json", "--output", "results.jsonl"], place);
  expect(JSON.parse(batch.stdout)).toMatchObject({ doubtful: 2, unreadable: 1 });
  const again = await call(["batch", "rows.csv"], place);
  expect(again.stdout).toMatch(/sentiment +positive 2 · neutral 1, of these 2 doubtful: not thanked, 1 not read\n/);
});

test("accepts the text from standard input, the caller's labels, and --no-response", async () => {
  const options = [
    "--sentiment",
    "negative",
    "--category",
    "pricing",
    "--category",
    "usability",
    "--no-response",
    "--json",
  ];
  const { stdout } = await call(["process", ...FEEDBACK.slice(0, -1), "-", ...options], {
    ...workplace(),
    input: "Größe passt.\n",
  });
  expect(JSON.parse(stdout)).toMatchObject({
    success: true,
    sentiment: "negative",
    categories: ["pricing", "usability"],
    action: "no_action",
  });
});

test("reads the whole feedback from a JSON file, and stores it in another data directory", async () => {
  const place = workplace();
  const feedback = { feedback_id: "F-9", customer_id: "C-2", subject: "Hi", feedback_text: "All is well." };
  writeFileSync(join(place.cwd, "feedback.json"), JSON.stringify(feedback));
  const { code, stdout } = await call(["process", "--input", "feedback.json", "--data", "elsewhere"], place);
  expect(code).toBe(0);
  expect(stdout).toMatch(/escalated to a person · customer told by email · TICKET-/);
  expect(readdirSync(place.cwd).sort()).toEqual(["customers.csv", "elsewhere", "feedback.json"]);
});

test("exits with 1 and says why if the feedback fails", async () => {
  const place = workplace();
  const unknown = FEEDBACK.with(3, "C-404");
  const { code, stdout } = await call(["process", ...unknown], place);
  expect(code).toBe(1);
  expect(stdout).toContain("✗ Feedback F-1 from customer C-404");
  expect(stdout).toContain("Customer with ID C-404 not found");
});

test("says in one line which setting is wrong", async () => {
  const place = workplace();
  const { code, stdout, stderr } = await call(["process", ...FEEDBACK, "--json"], {
    ...place,
    env: { ...place.env, RESPONSE_CAP: "many" },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: The configuration is not usable: RESPONSE_CAP .*\n$/);
  expect(JSON.parse(stdout)).toMatchObject({ success: false, error_code: "invalid_configuration" });
});

test("says how to import customers if none is found and no source is configured", async () => {
  const { cwd, env } = workplace();
  const without = await call(["process", ...FEEDBACK, "--json"], { cwd });
  expect(JSON.parse(without.stdout)).toMatchObject({ success: false, error_code: "customer_not_found" });
  expect(without.stderr).toContain("No customer source is configured. Set CUSTOMER_SOURCE to ");
  expect(without.stderr).toContain("abi-workflows import-customers <file>");
  const configured = await call(["process", ...FEEDBACK.with(3, "C-404")], { cwd, env });
  expect(configured).toMatchObject({ code: 1, stderr: "" });
});

test("says that the chat model did not judge, for a single piece of feedback and for a batch", async () => {
  const { origin } = await serve({ status: 401 });
  const place = workplace();
  place.env = { ...place.env, ANALYZER: "chat-model", OPENAI_BASE_URL: `${origin}/v1` };
  const { code, stdout, stderr } = await call(["process", ...FEEDBACK], place);
  const reason = "the model service refused the key";
  expect(code).toBe(0);
  expect(stdout).toContain(`the embedded analysers, because ${reason}`);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(JSON.parse(stderr)).toMatchObject({ level: 40, feedback_id: "F-1", reason });

  writeFileSync(
    join(place.cwd, "f.csv"),
    "feedback_id,customer_id,subject,feedback_text\nF-2,C-1,Hi,Fine\nF-3,C-1,Hi,Bad\n",
  );
  const batch = await call(["batch", "f.csv", "--output", "out.jsonl"], place);
  expect(batch.stdout).toMatch(/fallback +2 judged by the embedded analysers/);
  const again = await call(["batch", "f.csv", "--output", "out.jsonl", "--json"], place);
  expect(JSON.parse(again.stdout)).toMatchObject({ analysis_fallbacks: 2 });
});
