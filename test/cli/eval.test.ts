import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { serve } from "../support/http.ts";
import { startOpenAiServer, status, toolCall } from "../support/openai-server.ts";
import { call, RunningCommand } from "./command-process.ts";

const SENTIMENT = [
  { text: "I love it, it is superb and beautiful", label: "positive" },
  { text: "It was not good, rude and dirty <b>&", label: "positive" },
  { text: "I was charged twice", label: "negative" },
];
const CATEGORIES = [{ text: "I was charged twice", labels: ["billing"], scope: ["billing", "legal"] }];

function labelledTexts(): string {
  const cwd = temporaryFolder();
  for (const [name, rows] of Object.entries({ sentiment: SENTIMENT, categories: CATEGORIES })) {
    mkdirSync(join(cwd, "texts", name), { recursive: true });
    writeFileSync(join(cwd, "texts", name, "shop.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
  }
  return cwd;
}

type Fallbacks = { reason: string; texts: number }[];

interface Report {
  name: string;
  sentiment?: { mean: number; fallbacks: Fallbacks };
  categories?: { mean: number; fallbacks: Fallbacks };
}

const report = (stdout: string) => (JSON.parse(stdout) as { analyzers: Report[] }).analyzers;

describe("eval", () => {
  test("shows analysers side by side", async () => {
    const { code, stdout, stderr } = await call(["eval", "texts"], { cwd: labelledTexts() });
    expect(code).toBe(0);
    expect(stderr).toContain("so their figures on those sets are too good");
    expect(stdout).toMatch(/^ +texts +guide +embedded$/m);
    expect(stdout).toMatch(/^shop +3 +0\.\d{3} +0\.\d{3}$/m);
    expect(stdout).toMatch(/^billing +1 +0\.000 0\.000 0\.000 +1\.000 1\.000 1\.000$/m);
    expect(stdout).toMatch(/^embedded +positive +1 +1 +0$/m);
    expect(stdout).toMatch(/most frequent confusions.*\nguide +billing +none +1\n/s);
  });

  test("compares with libraries, as JSON", async () => {
    const names = ["vader", "afinn", "wink", "embedded"];
    const { code, stdout } = await call(["--json", "eval", "texts", "--analyzer", ...names], { cwd: labelledTexts() });
    expect(code).toBe(0);
    expect(report(stdout).map(({ name }) => name)).toEqual(names);
    expect(JSON.parse(stdout)).toMatchObject({
      date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as string,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      folder: "texts",
      caveat: expect.stringContaining("too good") as string,
    });
    for (const { sentiment, categories, name } of report(stdout)) {
      expect(sentiment?.mean).toBeGreaterThan(0);
      expect(categories === undefined).toBe(name !== "embedded");
    }
  });

  test("asks a chat model, and counts texts without an answer", async () => {
    const judgement = { language: "en", confidence: 1, evidence: [] };
    const server = await startOpenAiServer([
      toolCall("judge_feedback", { ...judgement, sentiment: "positive", categories: [] }),
      status(400),
      toolCall("judge_feedback", {
        ...judgement,
        sentiment: "negative",
        categories: [{ category: "billing", confidence: 1, evidence: [] }],
      }),
    ]);
    onTestFinished(() => server.close());
    const { code, stdout } = await call(["eval", "texts", "--analyzer", "chat-model", "--json"], {
      cwd: labelledTexts(),
      env: { OPENAI_BASE_URL: server.url, OPENAI_MODEL: "some-model", MAX_PARALLEL_REQUESTS: "1" },
    });
    const reason = "the model service refused the request (status 400); can the model call tools?";
    expect(code).toBe(0);
    expect(report(stdout)[0]).toMatchObject({
      version: expect.stringMatching(/^some-model, /) as string,
      sentiment: { mean: 1, pooled: { texts: 2 }, fallbacks: [{ reason, texts: 1 }] },
      categories: { mean: 1, fallbacks: [] },
    });
  });

  test("prints no figures for a model that answered nothing, says why, and fails", async () => {
    const cwd = labelledTexts();
    const { origin, requests } = await serve({ status: 401 });
    const args = ["eval", "texts", "--analyzer", "embedded", "chat-model", "--html", "report.html"];
    const { code, stdout, stderr } = await call(args, {
      cwd,
      env: { OPENAI_BASE_URL: `${origin}/v1`, MAX_PARALLEL_REQUESTS: "1" },
    });
    const reason = "the model service refused the key";
    expect(code).toBe(1);
    expect(stdout).toMatch(/^shop +3 +0\.\d{3} +–$/m);
    expect(stdout).toMatch(/^mean of the sets +3 +0\.\d{3} +–$/m);
    expect(stdout).toContain(`chat-model: did not answer 3 texts itself (${reason})`);
    expect(stdout).toContain(`chat-model: did not answer 1 text itself (${reason})`);
    expect(stderr).toContain("chat-model answered nothing itself");
    expect(readFileSync(join(cwd, "report.html"), "utf8")).toContain(`>${reason}</small>`);
    // One request for each question.
    expect(requests.length).toBeLessThanOrEqual(2);
  });

  test("writes a page with the most confident mistakes, in which texts stay text", async () => {
    const cwd = labelledTexts();
    expect((await call(["eval", "texts", "--html", "report.html"], { cwd })).code).toBe(0);
    expect(process.platform === "win32" || (statSync(join(cwd, "report.html")).mode & 0o077) === 0).toBe(true);
    const page = readFileSync(join(cwd, "report.html"), "utf8");
    expect(page).toContain("<p>It was not good, rude and dirty &lt;b&gt;&amp;</p>");
    expect(page).toMatch(/labelled <b>positive<\/b>, answered <b>negative<\/b> \(confidence 0\.\d+\)/);
    expect(page).not.toMatch(/<script|https?:/);
    expect(page).toMatch(/<p>texts · \d{4}-\d\d-\d\d · abi-workflows \d+\.\d+\.\d+<\/p>/);
    expect(page).toContain("so their figures on those sets are too good");
    expect(page).toMatch(/Confusions, all texts.*<th>→ none<\/th>.*<td>embedded<\/td><td>\w+<\/td><td>\d+ <small>/s);
    expect(page).toMatch(/<h3>Calibration error<\/h3>.*<td>shop<\/td><td>–<\/td><td>0\.\d{3}<\/td>/s);
  });

  test("asks a chat model about several texts at the same time", async () => {
    const arrived = Promise.withResolvers<void>();
    let waiting = 0;
    // Answers no request before three have arrived.
    const { origin } = await serve(async (_request, response) => {
      waiting += 1;
      if (waiting === 3) arrived.resolve();
      await arrived.promise;
      response.writeHead(403).end();
    });
    await call(["eval", "texts", "--analyzer", "chat-model"], {
      cwd: labelledTexts(),
      env: { OPENAI_BASE_URL: `${origin}/v1`, MAX_PARALLEL_REQUESTS: "3" },
    });
    expect(waiting).toBeGreaterThanOrEqual(3);
  });

  test("says when it is stopped that the next call starts over", async () => {
    const asked = Promise.withResolvers<void>();
    // Answers only after the interruption.
    const interrupted = Promise.withResolvers<void>();
    const { origin } = await serve(async (_request, response) => {
      asked.resolve();
      await interrupted.promise;
      response.writeHead(403).end();
    });
    const cwd = labelledTexts();
    const running = new RunningCommand(["eval", "texts", "--analyzer", "chat-model", "--html", "new.html"], {
      cwd,
      env: { OPENAI_BASE_URL: `${origin}/v1` },
    });
    await asked.promise;
    running.kill("SIGINT");
    await running.said("Finishing");
    interrupted.resolve();
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toContain("the same command starts over");
    expect(stderr).not.toContain("is not repeated");
    expect(existsSync(join(cwd, "new.html"))).toBe(false);
  });

  test("asks no model if the page can't be written", async () => {
    const server = await startOpenAiServer([]);
    onTestFinished(() => server.close());
    const { code, stdout } = await call(
      ["eval", "texts", "--analyzer", "chat-model", "--html", "no/such/folder.html"],
      {
        cwd: labelledTexts(),
        env: { OPENAI_BASE_URL: server.url },
      },
    );
    expect({ code, stdout, asked: server.requests.length }).toEqual({ code: 1, stdout: "", asked: 0 });
  });

  test("says which libraries must be installed first, and has examples that need none", async () => {
    const { stdout } = await call(["eval", "--help"], { cwd: temporaryFolder() });
    const [meanings, examples] = stdout.split("Examples:");
    expect(meanings!.replaceAll(/\s+/g, " ")).toContain("npm install vader-sentiment sentiment wink-sentiment");
    expect(examples).not.toMatch(/vader|afinn|wink/);
  });

  test("explains invalid options and files", async () => {
    const cwd = labelledTexts();
    const outcomes = await Promise.all([
      call(["eval", "nowhere"], { cwd }),
      call(["eval", "texts", "--analyzer", "magic"], { cwd }),
      call(["eval", "texts", "--analyzer", "chat-model"], { cwd, env: { OPENAI_API_KEY: "", OPENAI_BASE_URL: "" } }),
      call(["eval", "texts", "--html", "no/such/folder.html"], { cwd }),
    ]);
    expect(outcomes.map(({ code }) => code)).toEqual([1, 2, 2, 1]);
    expect(outcomes.map(({ stderr }) => stderr).join("")).toMatch(
      /There is no folder "nowhere".*Allowed choices are guide.*needs a model service.*page can't be written to no\/such\/folder\.html: there is no such folder/s,
    );
  });
});
