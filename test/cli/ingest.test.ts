import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CUSTOMER_COUNT, archiveCustomers, fates, inMbox, mailArchive, seedId } from "../support/mail-archive.ts";
import { rawMail } from "../support/raw-mail.ts";
import { temporaryFolder } from "../support/folder.ts";
import { call, RunningCommand } from "./command-process.ts";

interface Line {
  place: string;
  status: string;
  reason?: string;
  feedback_id?: string;
  mail_id?: string;
  run?: { success: boolean };
}

const lines = (stdout: string): Line[] =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);

const countBy = (found: readonly Line[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(found, ({ status }) => status)].map(([status, { length }]) => [status, length]));

/** A folder in which Ada is a customer. */
async function place(): Promise<{ cwd: string }> {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, "customers.csv"), "id,name,email\nC-1,Ada,ada@example.org\nC-2,Grace,grace@example.org\n");
  await call(["import-customers", "customers.csv"], { cwd });
  return { cwd };
}

describe("ingest", () => {
  it("loses no email of an archive, and processes none twice", async () => {
    const count = 400;
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "customers.csv"), archiveCustomers());
    const seeds = Array.from({ length: Math.min(CUSTOMER_COUNT, count / 20) }, (_, n) =>
      JSON.stringify({ feedback_id: seedId(n), customer_id: `C-${n}`, subject: "Hi", feedback_text: "I love it!" }),
    );
    writeFileSync(join(cwd, "seeds.jsonl"), seeds.join("\n"));
    writeFileSync(join(cwd, "archive.mbox"), Buffer.concat([...mailArchive(count)].map(({ raw }) => inMbox(raw))));
    await call(["import-customers", "customers.csv"], { cwd });
    expect(await call(["batch", "seeds.jsonl"], { cwd })).toMatchObject({ code: 0 });

    const first = await call(["ingest", "archive.mbox", "--json"], { cwd });
    expect(first.code).toBe(0);
    const expected = fates(count);
    expect(countBy(lines(first.stdout))).toEqual(expected);
    expect(lines(first.stdout).every(({ run }) => run?.success !== false)).toBe(true);
    expect(first.stderr).toContain(`${expected.needs_person} emails held for a person`);

    const again = await call(["ingest", "archive.mbox", "--json"], { cwd });
    const { ignored } = expected;
    expect(countBy(lines(again.stdout))).toEqual({ ignored, duplicate: count - ignored });
    const held = await call(["held-mails", "--json", "--limit", "1000"], { cwd });
    expect(JSON.parse(held.stdout)).toHaveLength(expected.needs_person);
  });

  it("continues where it stopped after kill -9", async () => {
    const { cwd } = await place();
    const mails = Array.from({ length: 60 }, (_, n) => inMbox(rawMail({}, `It is great, ${n}`)));
    writeFileSync(join(cwd, "mails.mbox"), Buffer.concat(mails));
    const running = new RunningCommand(["ingest", "mails.mbox", "--json"], { cwd });
    await running.lines(5);
    running.kill("SIGKILL");
    await running.ended;
    const { code, stdout } = await call(["ingest", "mails.mbox", "--json"], { cwd });
    expect(code).toBe(0);
    const found = lines(stdout);
    expect(found).toHaveLength(60);
    expect(found.every(({ status, run }) => /processing|duplicate/.test(status) && run?.success !== false)).toBe(true);
    const sum = await call(["query", "SELECT (COUNT(?f) AS ?n) { ?f a abi:Feedback }", "--json"], { cwd });
    expect(sum.stdout).toContain('"60"');
  });

  it("reads standard input, a folder and a Maildir, and prints a summary", async () => {
    const { cwd } = await place();
    const raw = rawMail();
    const fromInput = await call(["ingest", "-"], { cwd, input: raw.toString("latin1") });
    expect(fromInput).toMatchObject({ code: 0, stdout: expect.stringMatching(/processed +1 +auto_respond 1/) });
    mkdirSync(join(cwd, "mails"));
    writeFileSync(join(cwd, "mails/1.eml"), raw);
    writeFileSync(join(cwd, "mails/2.eml"), rawMail({ From: "stranger@example.net" }));
    const fromFolder = await call(["ingest", "mails"], { cwd });
    expect(fromFolder.stdout).toMatch(/for a person +1 +unknown_sender 1/);
    expect(fromFolder.stdout).toMatch(/duplicates +1/);
    expect(fromFolder.stderr).toContain("abi-workflows held-mails");
    for (const name of ["cur", "new"]) mkdirSync(join(cwd, "Maildir", name), { recursive: true });
    writeFileSync(join(cwd, "Maildir/new/1"), rawMail());
    expect((await call(["ingest", "Maildir"], { cwd })).stdout).toMatch(/processed +1/);
  });

  it("fails if a file is not an email or its run fails, but processes the others", async () => {
    const { cwd } = await place();
    writeFileSync(join(cwd, "customers.csv"), "id,name,email\nC-3,Nobody,\n");
    await call(["import-customers", "customers.csv"], { cwd });
    mkdirSync(join(cwd, "mails"));
    writeFileSync(join(cwd, "mails/1.eml"), "rubbish");
    writeFileSync(join(cwd, "mails/2.eml"), rawMail());
    const { code, stdout } = await call(["ingest", "mails"], { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(/processed +1/);
    expect(stdout).toContain("1.eml: This is not an email");
  });

  it("holds an email that was made to break it, and processes the next one", async () => {
    const { cwd } = await place();
    mkdirSync(join(cwd, "mails"));
    const html = { "Content-Type": "text/html" };
    writeFileSync(join(cwd, "mails/1.eml"), rawMail(html, "<div>".repeat(5000)));
    writeFileSync(join(cwd, "mails/2.eml"), rawMail({ Subject: "=?utf-8?q?=41?= ".repeat(60_000) }));
    writeFileSync(join(cwd, "mails/3.eml"), rawMail());
    const { code, stdout } = await call(["ingest", "mails", "--json"], { cwd });
    expect(code).toBe(0);
    const found = lines(stdout).map(({ status, reason }) => reason ?? status);
    expect(found.toSorted()).toEqual(["processing", "unreadable", "unreadable"]);
  });

  it("processes the next email after one that hits a bug of ours", async () => {
    const { cwd } = await place();
    // Stands for a bug that is not known yet.
    const source = new URL("../../src/workflows/customer-feedback/customer-feedback-workflow.ts", import.meta.url);
    writeFileSync(
      join(cwd, "faulty.mjs"),
      `import { CustomerFeedbackWorkflow } from ${JSON.stringify(source.href)};
      const { receiveMail } = CustomerFeedbackWorkflow.prototype;
      CustomerFeedbackWorkflow.prototype.receiveMail = async function (raw) {
        if (String(raw).includes("Subject: bad")) throw new TypeError("a fault");
        return receiveMail.call(this, raw);
      };
      export const createWorkflows = () => [];`,
    );
    const mails = ["bad", "good"].map((subject) => inMbox(rawMail({ Subject: subject })));
    writeFileSync(join(cwd, "mails.mbox"), Buffer.concat(mails));
    const env = { WORKFLOWS: "./faulty.mjs" };
    const { code, stdout, stderr } = await call(["ingest", "mails.mbox", "--json"], { cwd, env });
    expect(code).toBe(1);
    expect(
      lines(stdout)
        .map(({ status }) => status)
        .toSorted(),
    ).toEqual(["failed", "processing"]);
    expect(stderr).toContain("a fault");
  });

  it("creates nothing if there is nothing to read", async () => {
    const cwd = temporaryFolder();
    expect(await call(["ingest", "missing"], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("can't be read"),
    });
    expect(await call(["ingest"], { cwd })).toMatchObject({ code: 2 });
    expect(await call(["held-mails"], { cwd })).toMatchObject({ code: 0, stderr: expect.stringContaining("No email") });
    expect(await call(["held-mails", "show", "x"], { cwd })).toMatchObject({ code: 1 });
    expect(await call(["status"], { cwd })).toMatchObject({ code: 0 });
  });
});

describe("held-mails", () => {
  it("shows waiting emails, and lets a person assign or dismiss them", async () => {
    const { cwd } = await place();
    for (const from of ["one@example.net", "two@example.net"]) {
      const mail = rawMail({ From: from, Subject: `From ${from}` }, "Your search is great!\u001B[2J");
      await call(["ingest", "-"], { cwd, input: mail.toString("latin1") });
    }
    const list = await call(["held-mails"], { cwd });
    expect(list.stdout).toMatch(/unknown_sender +one@example\.net/);
    expect(list.stderr).toContain("2 emails waiting");
    const [first, second] = JSON.parse((await call(["held-mails", "--json"], { cwd })).stdout) as { mail_id: string }[];
    const shown = await call(["held-mails", "show", first!.mail_id], { cwd });
    expect(shown.stdout).toContain("Your search is great!\\u001b[2J");

    const assigned = await call(["held-mails", "assign", first!.mail_id, "--customer-id", "C-2"], { cwd });
    expect(assigned).toMatchObject({ code: 0, stdout: expect.stringContaining("from customer C-2") });
    const dismissed = await call(["held-mails", "dismiss", second!.mail_id, "--json"], { cwd });
    expect(JSON.parse(dismissed.stdout)).toMatchObject({ status: "dismissed" });
    expect((await call(["held-mails"], { cwd })).stderr).toContain("No emails are waiting");

    const late = await call(["held-mails", "assign", second!.mail_id, "--customer-id", "C-2"], { cwd });
    expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining("It was dismissed") });
    expect(await call(["held-mails", "assign", second!.mail_id], { cwd })).toMatchObject({ code: 2 });
  });

  it("accepts a person's summary of an email that can't be processed unchanged", async () => {
    const { cwd } = await place();
    await call(["ingest", "-"], { cwd, input: rawMail({}, "").toString("latin1") });
    const [mail] = JSON.parse((await call(["held-mails", "--json"], { cwd })).stdout) as { mail_id: string }[];
    const args = ["held-mails", "assign", mail!.mail_id, "--customer-id", "C-1"];
    expect(await call(args, { cwd })).toMatchObject({ code: 1, stderr: expect.stringContaining("feedback_text") });
    const words = ["--subject", "A photo", "--text-file", "-", "--no-response"];
    const told = await call([...args, ...words], { cwd, input: "Sends a photo of a broken cup." });
    expect(told).toMatchObject({ code: 0 });
    expect(told.stdout).not.toContain("answered by email");
  });
});
