// Every hostile text in one CSV file.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { mailsIn, runHostileTexts, type SentMail } from "../../testing/index.ts";
import { call, parseLines } from "../cli/command-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { CUSTOMER, SECRETS, TEXTS, VICTIM, harmOf } from "../support/hostile.ts";

const csv = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")).join("\r\n");

it("harms nobody in a batch from a CSV file, and prints no terminal commands", async () => {
  const cwd = temporaryFolder();
  const customers = [CUSTOMER, VICTIM].map(({ id, name = "Ada Lovelace", email = "" }) => [id, name, email]);
  writeFileSync(join(cwd, "customers.csv"), csv([["id", "name", "email"], ...customers]));
  const rows = TEXTS.map(({ feedback }) => [
    feedback.feedback_id,
    CUSTOMER.id,
    feedback.subject,
    feedback.feedback_text.toWellFormed(),
  ]);
  writeFileSync(join(cwd, "feedback.csv"), csv([["feedback_id", "customer_id", "subject", "feedback_text"], ...rows]));
  const env = { CUSTOMER_SOURCE: "customers.csv", RESPONSE_CAP: "1000" };
  const { stdout, stderr } = await call(["batch", "feedback.csv", "--json"], { cwd, env });
  const results = parseLines(stdout) as { success: boolean; error?: string }[];
  const shown = await call(["status"], { cwd, env });
  const printed = [stdout, stderr, shown.stdout, shown.stderr].join("\n");
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  expect(printed).not.toMatch(/\u001b\]|\u001b\[2J|\u0007|\u202E/);

  const mails = await mailsIn(join(cwd, ".abi-workflows/outbox"))();
  let sent: SentMail[] = [];
  const report = await runHostileTexts({
    name: "CSV",
    texts: TEXTS,
    // Everything sent before the first text counts for that text.
    outbox: () => sent,
    isStored: (text) => results[TEXTS.indexOf(text)]?.success === true,
    decisions: "none",
    recipients: [CUSTOMER.email!],
    secrets: SECRETS,
    call: async (text) => {
      sent = mails;
      const result = results[TEXTS.indexOf(text)];
      return { answers: [JSON.stringify(result), printed], refusal: result?.error };
    },
  });
  expect(harmOf(report)).toBe("");
  expect(results).toHaveLength(TEXTS.length);
  expect(report.stored).toBeGreaterThan(0.9 * TEXTS.length);
  expect(report.mails).toBe(report.stored);
});
