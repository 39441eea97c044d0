import { existsSync, linkSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startSmtpServer } from "../support/smtp.ts";
import { call, parseLines, RunningCommand, workplace } from "./command-process.ts";

const MAPPING = ["--map", "feedback_text=text", "--set", "customer_id=C-1", "--set", "subject=Product review"];
const LEARNED =
  "SELECT ?id ?text ?sentiment ?action ?mail { ?f abi:id ?id ; abi:text ?text ; abi:sentiment ?sentiment ; abi:action ?action OPTIONAL { ?f abi:responseId ?mail } } ORDER BY ?id";

/** A folder with this many reviews, and no cap on a customer's emails. */
function reviews(count: number) {
  const { cwd, env } = workplace();
  const lines = Array.from({ length: count }, (_, at) =>
    JSON.stringify({ text: `It works well, number ${at}.`, stars: 5 }),
  );
  writeFileSync(join(cwd, "reviews.jsonl"), `${lines.join("\n")}\n`);
  return { cwd, env: { ...env, RESPONSE_CAP: "1000" } };
}

const batch = ["batch", "reviews.jsonl", ...MAPPING];
const mails = (cwd: string): string[] =>
  readdirSync(join(cwd, ".abi-workflows/outbox")).filter((name) => name.endsWith(".eml"));

test("killed half-way and started again, it ends with the same graph as without the kill, and each email is sent once", async () => {
  const calm = reviews(24);
  const killed = reviews(24);
  expect((await call(batch, calm)).code).toBe(0);

  const running = new RunningCommand([...batch, "--json"], killed);
  await running.lines(8);
  running.kill("SIGKILL");
  const { code, stdout } = await running.ended;
  expect(code).toBe("SIGKILL");
  const before = parseLines(stdout);
  expect(before.length).toBeLessThan(24);

  const again = parseLines((await call([...batch, "--json"], killed)).stdout);
  expect(again).toHaveLength(24);
  expect(again.every(({ success }) => success)).toBe(true);
  // Rows that were reported before the kill were not processed again.
  expect(again.slice(0, before.length)).toMatchObject(before);
  expect(again.slice(0, before.length).every(({ duplicate }) => duplicate)).toBe(true);
  expect(mails(killed.cwd).sort()).toEqual(mails(calm.cwd).sort());
  const [left, right] = await Promise.all([calm, killed].map((place) => call(["query", LEARNED, "--json"], place)));
  expect(JSON.parse(left?.stdout ?? "").results.bindings).toHaveLength(24);
  expect(right?.stdout).toBe(left?.stdout);
});

test("Ctrl-C finishes the current rows and says how to continue; the same command continues", async () => {
  // Without emails, nothing in the batch waits, so signals get through only if the batch yields to them.
  const { cwd, env } = reviews(60);
  const place = { cwd, env: { ...env, RESPONSE_CAP: "0" } };
  const running = new RunningCommand([...batch, "--json"], place);
  await running.lines(3);
  running.kill("SIGINT");
  const { code, stdout, stderr } = await running.ended;
  expect(code).toBe(130);
  expect(stderr).toContain("Run the same command again to continue: finished work is not repeated.");
  const done = parseLines(stdout);
  expect(done.length).toBeLessThan(60);

  const rest = await call([...batch, "--output", "results.jsonl"], place);
  expect(rest.code).toBe(0);
  expect(rest.stdout).toMatch(/processed +60\n +failed +0\n/);
  const results = parseLines(readFileSync(join(place.cwd, "results.jsonl"), "utf8"));
  expect(results.map(({ line }) => line)).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
  expect(results.filter(({ duplicate }) => duplicate).length).toBeGreaterThanOrEqual(done.length);
});

test("while the batch waits for a mail server, status shows the run, and a second Ctrl-C ends the batch at once", async () => {
  await using smtp = await startSmtpServer();
  smtp.script("data", { after: new Promise(() => {}) });
  const place = reviews(1);
  const env = { ...place.env, MAIL_URL: smtp.url() };
  const reached = smtp.reached("data");
  const running = new RunningCommand(batch, { ...place, env });
  await reached;

  const latest = await call(["status", "--json"], place);
  expect(JSON.parse(latest.stdout)).toMatchObject([{ status: "processing", current_step: "response_sent" }]);

  running.kill("SIGINT");
  await running.said("Press Ctrl-C again to end at once.");
  // A signal right after the first one is taken for the copy that npm sends.
  const again = setInterval(() => running.kill("SIGINT"), 50);
  onTestFinished(() => clearInterval(again));
  expect((await running.ended).code).toBe(130);
});

test("a bad row is one failure with its line, and the rest is processed", async () => {
  const place = workplace();
  const row = (fields: object): string =>
    JSON.stringify({ customer_id: "C-1", subject: "Hi", feedback_text: "Well.", ...fields });
  const lines = [
    row({ feedback_id: 7 }),
    "{broken",
    "",
    row({ feedback_id: "F-8", feedback_text: undefined }),
    "[1]",
    row({ customer_id: "C-404" }),
    row({ feedback_id: [], subject: [], feedback_text: { length: 0 } }),
  ];
  writeFileSync(join(place.cwd, "feedback.jsonl"), lines.join("\n"));
  const { code, stdout, stderr } = await call(["batch", "feedback.jsonl", "--json"], place);
  expect(code).toBe(1);
  expect(parseLines(stdout)).toMatchObject([
    { line: 1, success: true, feedback_id: "7" },
    {
      line: 2,
      success: false,
      error: "The row is not valid JSON (line 2, column 2).",
      error_code: "invalid_row",
      retriable: false,
    },
    { line: 4, success: false, feedback_id: "F-8", customer_id: "C-1", error: "feedback_text: is missing" },
    { line: 5, success: false, error: "The row is not a JSON object." },
    { line: 6, success: false, customer_id: "C-404", error_code: "customer_not_found" },
    { error: "feedback_id: must be a text; subject: must be a text; feedback_text: must be a text" },
  ]);
  expect(stderr).toMatch(/processed +6\n +failed +5\n/);
  expect(stderr).toContain("✗ line 4: feedback_text: is missing");
});

test("a bad row of a JSON array is named with its position and its line", async () => {
  const place = workplace();
  writeFileSync(
    join(place.cwd, "feedback.json"),
    '[\n  {\n    "customer_id": "C-404", "feedback_text": "Well."\n  },\n  7\n]\n',
  );
  const { code, stdout, stderr } = await call(["batch", "feedback.json", "--json"], place);
  expect(code).toBe(1);
  expect(parseLines(stdout)).toMatchObject([
    { line: 2, item: 1, error_code: "customer_not_found" },
    { line: 5, item: 2, error_code: "invalid_row" },
  ]);
  expect(stderr).toContain("✗ item 2 (line 5): The row is not a JSON object.");
});

test("CSV has columns by name, constants and interpreted values, and the same text twice is one piece of feedback", async () => {
  const place = workplace();
  const text = '"Great, ""really"" great;\nthank you"';
  const rows = [`Hi;${text};pricing|usability;no;x`, `Hi;${text};pricing|usability;no;y`, "Hi;;;yes;z"];
  writeFileSync(
    join(place.cwd, "feedback.csv"),
    `\uFEFFsubject;comment;categories;send_response;other\r\n${rows.join("\r\n")}\r\n`,
  );
  const args = ["batch", "feedback.csv", "--map", "feedback_text=comment", "--set", "customer_id=C-1"];
  const { code, stdout } = await call([...args, "--output", "out.jsonl", "--json"], place);
  expect(process.platform === "win32" || (statSync(join(place.cwd, "out.jsonl")).mode & 0o077) === 0).toBe(true);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    processed: 3,
    failed: 1,
    duplicates: 1,
    actions: { no_action: 2 },
    mails_sent: 0,
  });
  const [first, second, third] = parseLines(readFileSync(join(place.cwd, "out.jsonl"), "utf8"));
  expect(first).toMatchObject({ line: 2, success: true, categories: ["pricing", "usability"] });
  expect(second).toMatchObject({ line: 4, feedback_id: first?.["feedback_id"], duplicate: true });
  expect(third).toMatchObject({ line: 6, success: false, error: "feedback_text: must not be empty" });
});

test("a review export with text, customer and stars is processed, except for a broken row", async () => {
  const place = workplace();
  const rows = ["C-1,It works well.,5", 'C-1,"19 inch is great,5', "C-1,Lovely.,4", 'C-1,"Nice,\nand cheap",5'];
  writeFileSync(join(place.cwd, "reviews.csv"), `customer,text,stars,send_respons\n${rows.join(",no\n")},no\n`);
  const args = ["batch", "reviews.csv", "--map", "feedback_text=text", "--map", "customer_id=customer", "--json"];
  const { code, stdout, stderr } = await call(args, place);
  expect(code).toBe(1);
  expect(parseLines(stdout)).toMatchObject([
    { line: 2, success: true },
    { line: 3, success: false, error_code: "invalid_row", error: expect.stringContaining("broken quotes") },
    { line: 4, success: true },
    { line: 5, success: true },
  ]);
  expect(stderr).toContain('The column "send_respons" is not read.');
  expect(stderr).toMatch(/processed +4\n +failed +1\n/);
});

test("a mapped column that no row has is reported once", async () => {
  const place = workplace();
  writeFileSync(join(place.cwd, "f.jsonl"), '{"customer_id":"C-1","feedback_text":"Well.","title":"Hi"}\n');
  const { code, stderr } = await call(["batch", "f.jsonl", "--map", "subject=titel"], place);
  expect(code).toBe(0);
  expect(stderr).toContain('No row has a column "titel", which --map names for subject.');
});

test("the id derived from the content is the same as the agent's tool derives", async () => {
  const place = workplace();
  writeFileSync(
    join(place.cwd, "f.json"),
    JSON.stringify([{ customer_id: "C-1", subject: "Great product!", feedback_text: "Great product!" }]),
  );
  const [row] = parseLines((await call(["batch", "f.json", "--json"], place)).stdout);
  const { stdout } = await call(["chat", "Customer C-1 wrote: 'Great product!'", "--json"], place);
  expect(JSON.parse(stdout).tool_calls).toMatchObject([
    { result: { feedback_id: row?.["feedback_id"], duplicate: true } },
  ]);
});

describe("--output", () => {
  test.each([
    ["the same name", () => {}, "./reviews.jsonl"],
    ["a symbolic link", (cwd: string) => symlinkSync("reviews.jsonl", join(cwd, "link.jsonl")), "link.jsonl"],
    ["a hard link", (cwd: string) => linkSync(join(cwd, "reviews.jsonl"), join(cwd, "twin.jsonl")), "twin.jsonl"],
  ])("never overwrites the input file: %s", async (_case, link, output) => {
    const place = reviews(2);
    link(place.cwd);
    const before = readFileSync(join(place.cwd, "reviews.jsonl"), "utf8");
    const { code, stderr } = await call([...batch, "--output", output], place);
    expect(code).toBe(2);
    expect(stderr).toBe("error: --output would overwrite the file that is read. Name another one.\n");
    expect(readFileSync(join(place.cwd, "reviews.jsonl"), "utf8")).toBe(before);
  });

  test("leaves existing results alone if the batch is refused because another one is running", async () => {
    await using smtp = await startSmtpServer();
    smtp.script("data", { after: new Promise(() => {}) });
    const place = reviews(1);
    const results = join(place.cwd, "results.jsonl");
    const reached = smtp.reached("data");
    const running = new RunningCommand(batch, { ...place, env: { ...place.env, MAIL_URL: smtp.url() } });
    await reached;

    writeFileSync(results, "earlier results\n");
    const { code, stderr } = await call([...batch, "--output", "results.jsonl"], place);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: [^\n]*\n$/);
    expect(readFileSync(results, "utf8")).toBe("earlier results\n");
    running.kill("SIGKILL");
    await running.ended;
  });

  test("is named as it was given if it can't be opened", async () => {
    const { code, stderr } = await call([...batch, "--output", "nowhere/results.jsonl"], reviews(1));
    expect(code).toBe(1);
    expect(stderr).toBe("error: The results can't be written to nowhere/results.jsonl: there is no such folder.\n");
  });

  test.skipIf(!existsSync("/dev/full"))("ends the batch with one sentence if the disk is full", async () => {
    const { code, stderr } = await call([...batch, "--output", "/dev/full"], reviews(3));
    expect(code).toBe(1);
    expect(stderr).toBe("error: The results can't be written to /dev/full: the disk is full.\n");
  });
});

test("a row without the column that a field is mapped to fails and names the column", async () => {
  const place = reviews(1);
  const mapping = ["--map", "feedback_text=nope", "--set", "customer_id=C-1", "--set", "subject=Review"];
  const { code, stdout } = await call(["batch", "reviews.jsonl", ...mapping, "--json"], place);
  expect(code).toBe(1);
  expect(parseLines(stdout)).toMatchObject([
    {
      line: 1,
      success: false,
      customer_id: "C-1",
      error: 'The row has no column "nope", which --map names for feedback_text.',
      error_code: "invalid_row",
    },
  ]);
});
