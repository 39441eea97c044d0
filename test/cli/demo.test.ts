import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { call } from "./command-process.ts";

// A user's settings must not lead the demo to real customers.
const env = { OPENAI_API_KEY: "sk-none", MAIL_URL: "smtp://127.0.0.1:1", CUSTOMER_SOURCE: "none.csv" };

test("the demo shows calls, results, a table, emails and an answer from the graph, and sends nothing twice when it is repeated", async () => {
  const cwd = temporaryFolder();
  const first = await call(["demo"], { cwd, env });
  const outbox = join(cwd, ".abi-workflows/demo/outbox");
  const mails = readdirSync(outbox).length;
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toContain("→ process_customer_feedback(");
  expect(first.stdout).toMatch(/^ +✓ C-1006: positive, doubtful · .* · email sent$/m);
  expect(first.stdout.replaceAll(/\s+/g, " ")).toMatch(
    /from customer C-1006: positive \(doubtful\), .* answered by email, without thanks for kind words/,
  );
  expect(first.stdout).toMatch(/^F-30\d\d +C-\d+ +positive, doubtful /m);
  expect(first.stdout).toMatch(/ sentiment +negative .*, of these \d+ doubtful: not thanked/);
  expect(first.stdout).toMatch(/^F-3002 +C-1022 +negative +.* escalate +TICKET-\w+ email$/m);
  expect(first.stdout).toMatch(/^F-3022 +C-9999 +refused +customer_not_found$/m);
  expect(first.stdout).toMatch(new RegExp(`mails +${mails} sent, [1-9]`));
  expect(first.stdout).toContain(".abi-workflows/demo/outbox");
  expect(first.stdout).toMatch(/^customer +segment +complaints +about$/m);

  const second = await call(["demo"], { cwd, env });
  expect(second.code).toBe(0);
  expect(second.stdout).toMatch(/mails +0 sent/);
  expect(second.stdout).toContain(`Nothing was sent twice: ${mails} emails before this run, ${mails} now.`);
  expect(readdirSync(outbox)).toHaveLength(mails);

  // With --fresh, the demo starts over, and touches nothing else.
  const fresh = JSON.parse((await call(["demo", "--fresh", "--json"], { cwd, env })).stdout);
  expect(fresh).toMatchObject({ mails_before: 0, mails_after: mails });
  expect(fresh.requests.length).toBeGreaterThanOrEqual(5);
  expect(fresh.feedback.length).toBeGreaterThanOrEqual(60);
  expect(fresh.question.answer.results.bindings.length).toBeGreaterThan(3);
  expect(existsSync(join(cwd, ".abi-workflows/data.sqlite"))).toBe(false);
});
