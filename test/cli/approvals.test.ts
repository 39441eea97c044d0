import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openApplication } from "../../src/application/application.ts";
import { silentLogger } from "../../src/log.ts";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { readSettings } from "../../src/application/settings.ts";
import { feedback } from "../support/feedback.ts";
import { serverUrl } from "../support/postgres.ts";
import { startSmtpServer } from "../support/smtp.ts";
import { startSparqlEndpoint } from "../support/sparql-endpoint.ts";
import { newDatabase } from "../support/test-database.ts";
import { call, callProcess, FEEDBACK, RunningCommand, workplace } from "./command-process.ts";

type Place = ReturnType<typeof workplace>;

function approvalPlace(): Place {
  const { cwd, env } = workplace();
  return { cwd, env: { ...env, APPROVAL: "on" } };
}

async function waitingMail(place: Place): Promise<{ workflow_id: string; rendering: string; text: string }> {
  const { stdout } = await call(["approvals", "show", "F-1", "--json"], place);
  return JSON.parse(stdout);
}

const outbox = ({ cwd }: Place): string[] => {
  const folder = join(cwd, ".abi-workflows/outbox");
  try {
    return readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  } catch {
    return [];
  }
};

test("shows a waiting email, sends it when it is approved, and refuses later decisions", async () => {
  const place = approvalPlace();
  const processed = await call(["process", ...FEEDBACK], place);
  expect(processed).toMatchObject({ code: 0, stderr: "" });
  expect(processed.stdout).toMatch(/^… Feedback F-1/);
  expect(processed.stdout).toMatch(/outcome +the email waits for approval/);
  const { workflow_id, rendering } = await waitingMail(place);
  expect(processed.stdout).toContain(`abi-workflows approvals show ${workflow_id}`);
  expect(outbox(place)).toEqual([]);

  const list = await call(["approvals"], place);
  expect(list.stdout).toMatch(
    new RegExp(`F-1 +C-1 +positive 0\\.94 +product +I love the new design! +auto_respond +\\S+ +${workflow_id}`),
  );
  expect(list.stderr).toBe("1 email waiting, oldest first\n");
  const cut = await call(["approvals", "--limit", "1"], place);
  expect(cut.stderr).toBe("1 email waiting, oldest first; there may be more (--limit)\n");
  expect(JSON.parse((await call(["approvals", "--json"], place)).stdout)).toMatchObject([
    { workflow_id, status: "waiting_for_approval", result: { customer_id: "C-1", action: "auto_respond" } },
  ]);
  const shown = await call(["approvals", "show", workflow_id], place);
  for (const part of [rendering, "ann@example.com", "RE: Hello", "Hello Ann Ford,"])
    expect(shown.stdout).toContain(part);

  const approved = await call(["approvals", "approve", "F-1", "--rendering", rendering, "--by", "Eve"], place);
  expect(approved).toMatchObject({ code: 0, stderr: "" });
  expect(approved.stdout).toContain("✓ Feedback F-1 from customer C-1");
  expect(approved.stdout).toContain("answered by email");
  expect(outbox(place)).toHaveLength(1);
  const late = await call(["approvals", "reject", "F-1", "--rendering", rendering, "--by", "Bob", "--json"], place);
  expect(late.code).toBe(1);
  expect(JSON.parse(late.stdout)).toMatchObject({ error_code: "already_decided", error_type: "conflict" });
  const nothing = await call(["approvals", "show", "F-1"], place);
  expect(nothing).toMatchObject({ code: 1, stdout: "" });
  expect(nothing.stderr).toContain("No email of this run is waiting for a person: the run's status is completed.");
  expect((await call(["approvals"], place)).stderr).toBe("No emails are waiting for a person.\n");
});

test("shows the feedback that the email answers and how certain its labels are, so that a person can check them", async () => {
  const place = approvalPlace();
  const irony = "If you love sitting in silence for an hour, call them.\nFrom: eve@example.com";
  const texts = [irony, "Très mauvais service, je suis déçu."];
  for (const [at, text] of texts.entries())
    await call(["process", ...FEEDBACK.with(1, `F-${at + 1}`).with(7, text)], place);
  const doubtful = (await call(["approvals", "show", "F-1"], place)).stdout;
  expect(doubtful).toMatch(/sentiment +positive 0\.\d\d, doubtful\n/);
  expect(doubtful).toContain(`\n\nThe customer wrote:\n> ${irony.replace("\n", "\n> ")}\n`);
  expect((await call(["approvals", "show", "F-2"], place)).stdout).toMatch(/sentiment +neutral, not read\n/);
  const { stdout } = await call(["approvals"], place);
  expect(stdout).toMatch(/F-1 +C-1 +positive 0\.\d\d, doubtful +\S+ +If you love sitting/);
  expect(stdout).toMatch(/F-2 +C-1 +neutral, not read +general +Très mauvais service/);
  for (const [id, words] of [
    ["F-1", /sentiment +positive 0\.\d\d, doubtful\n +categories +\S/],
    ["F-2", /sentiment +neutral, not read\n +categories +general\n/],
  ] as const)
    expect((await call(["status", id], place)).stdout).toMatch(words);
});

test("shows an email without letting the customer's text control the terminal", async () => {
  const place = approvalPlace();
  const customers = join(place.cwd, "customers.csv");
  writeFileSync(customers, "id,name,email\nC-1,Ann \u202Edrof,ann@example.com\n");
  const subject = "Hello \u202Eollah\u009B2J\u001B[2J";
  const id = "F-1";
  expect(await call(["process", ...FEEDBACK.with(1, id).with(5, subject)], place)).toMatchObject({ code: 0 });
  const { stdout } = await call(["approvals", "show", id], place);
  expect(stdout).toMatch(/subject +RE: Hello ollah 2J \[2J/);
  // A name with invisible characters is left out of the greeting.
  expect(stdout).toContain("Hello,");
  expect(stdout).not.toContain("\u202E");
  const json = await call(["approvals", "show", id, "--json"], place);
  expect(JSON.parse(json.stdout)).toMatchObject({ feedback_id: id, text: expect.stringContaining("Hello,") });
  const list = await call(["approvals"], place);
  expect(list.stdout).toContain("F-1");
  for (const output of [stdout, json.stdout, list.stdout, (await call(["approvals", "--json"], place)).stdout]) {
    expect(output).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
  }
});

test("refuses a text that can't be used in an email, and then decides nothing", async () => {
  const place = approvalPlace();
  await call(["process", ...FEEDBACK], place);
  const { rendering } = await waitingMail(place);
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(place.cwd, name), content);
    return name;
  };
  const texts: [file: string, code: string, message: string][] = [
    ["missing.txt", "file_unreadable", 'The file "missing.txt" can\'t be read.'],
    [".", "file_unreadable", "can't be read"],
    [file("latin.txt", Buffer.from([0x47, 0xfc, 0xdf, 0x65])), "not_utf8", "is not UTF-8 text"],
    [file("binary", Buffer.from([0, 1, 2, 7, 27])), "invalid_parameters", "the control character NUL"],
    [file("huge.txt", "word ".repeat(2_000_000)), "invalid_parameters", "at most 20000 characters"],
  ];
  for (const [path, error_code, message] of texts) {
    const edit = ["approvals", "edit", "F-1", "--rendering", rendering, "--by", "Eve", "--text-file", path, "--json"];
    const { code, stdout } = await call(edit, place);
    expect(JSON.parse(stdout)).toMatchObject({ error_code, error: expect.stringContaining(message) });
    expect([code, stdout.length < 1000]).toEqual([1, true]);
  }
  expect(await waitingMail(place)).toMatchObject({ rendering });
});

test("shows the mail server's answer when an email that it refused permanently waits again", async () => {
  const mails = await startSmtpServer();
  onTestFinished(() => mails[Symbol.asyncDispose]());
  const { cwd, env } = approvalPlace();
  const place = { cwd, env: { ...env, MAIL_URL: mails.url() } };
  await call(["process", ...FEEDBACK], place);
  const { rendering } = await waitingMail(place);
  mails.script("data", { code: 554, text: "5.7.1 looks like spam" });
  const approve = ["approvals", "approve", "F-1", "--by", "Eve", "--rendering"];
  const refused = await call([...approve, rendering], place);
  expect(refused.code).toBe(1);
  expect(refused.stdout).toMatch(/refused this email permanently \(554\).*Retry the run/s);
  expect((await call(["retry", "F-1"], place)).stdout).toBe("F-1 continues.\n");
  expect((await call(["process", ...FEEDBACK], place)).stdout).toContain("the email waits for approval");
  const shown = await call(["approvals", "show", "F-1"], place);
  expect(shown.stdout).toMatch(/refused before +Message failed: 554 5\.7\.1 looks like spam/);
  const again = await waitingMail(place);
  expect(await call([...approve, again.rendering], place)).toMatchObject({ code: 0 });
  expect(mails.mails).toHaveLength(1);
});

test("sends an edited text from standard input, and sends nothing if the email is rejected with a reason", async () => {
  const place = approvalPlace();
  await call(["process", ...FEEDBACK], place);
  const { rendering } = await waitingMail(place);
  const edit = ["approvals", "edit", "F-1", "--rendering", rendering, "--by", "Eve", "--subject", "Grüße"];
  const edited = await call([...edit, "--text-file", "-", "--json"], { ...place, input: "Dear Ann,\n\nthank you.\n" });
  expect(JSON.parse(edited.stdout)).toMatchObject({ success: true, response_id: expect.any(String) });
  expect(outbox(place)[0]).toMatch(/Dear Ann,\r\n\r\nthank you\./);

  const second = FEEDBACK.with(1, "F-2");
  const { stdout } = await call(["process", ...second, "--json"], place);
  const { workflow_id } = JSON.parse(stdout) as { workflow_id: string };
  const pending = await call(["approvals", "show", "F-2", "--json"], place);
  const other = (JSON.parse(pending.stdout) as { rendering: string }).rendering;
  const reject = ["approvals", "reject", workflow_id, "--rendering", other, "--by", "Eve", "--reason", "Called her."];
  expect((await call(reject, place)).stdout).toContain("not answered · no email: rejected by Eve: Called her.");
  expect(outbox(place)).toHaveLength(1);
});

test("stores corrected labels with a decision", async () => {
  const place = approvalPlace();
  await call(["process", ...FEEDBACK], place);
  const { rendering } = await waitingMail(place);
  expect((await call(["approvals", "show", "F-1"], place)).stdout).toMatch(
    /sentiment +positive 0\.94\n *categories +product/,
  );
  const reject = ["approvals", "reject", "F-1", "--rendering", rendering, "--by", "Eve"];
  const unknown = await call([...reject, "--sentiment", "angry"], place);
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining("positive, negative, neutral") });
  const wrong = await call([...reject, "--category", "refunds"], place);
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("must be one of product, service") });
  expect(await waitingMail(place)).toMatchObject({ rendering });

  const labels = ["--sentiment", "negative", "--category", "bug", "--category", "service"];
  expect(await call([...reject, ...labels], place)).toMatchObject({ code: 0 });
  const query = "SELECT ?s ?c { ?d abi:reviewedSentiment ?s ; abi:reviewedCategory ?c } ORDER BY ?c";
  expect((await call(["query", query], place)).stdout).toMatch(/negative +bug\n.*negative +service/);
});

test("a batch counts its waiting emails, and ends", async () => {
  const place = approvalPlace();
  const rows = ["feedback_id,customer_id,subject,feedback_text", "F-1,C-1,Hi,Great!", "F-2,C-2,Hi,Great!"];
  writeFileSync(join(place.cwd, "feedback.csv"), rows.join("\n"));
  const { code, stdout } = await call(["batch", "feedback.csv"], place);
  expect(code).toBe(0);
  expect(stdout).toMatch(/mails +0 sent, 0 withheld, 2 waiting for approval/);
});

test("lists emails while another process is working, and says if it can't decide meanwhile", async () => {
  const place = approvalPlace();
  await call(["process", ...FEEDBACK], place);
  const { rendering } = await waitingMail(place);
  const store = await OxigraphOntologyStore.open({ path: join(place.cwd, ".abi-workflows/data.sqlite") });
  expect((await callProcess(["approvals"], place)).stdout).toContain("F-1");
  const decision = ["approvals", "approve", "F-1", "--rendering", rendering, "--by", "Eve", "--json"];
  const refused = await callProcess(decision, place);
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({ error_type: "io_error", retriable: true });
  await store.close();
  expect(JSON.parse((await call(decision, place)).stdout)).toMatchObject({ success: true });
});

test("executes nothing if it only lists or shows emails", async () => {
  const place = approvalPlace();
  await call(["process", ...FEEDBACK], place);
  const settings = readSettings({ dataDirectory: join(place.cwd, ".abi-workflows") }, place.env);
  const starter = await openApplication(settings, silentLogger, { worker: false });
  const id = await starter.workflow.startWorkflow(feedback({ feedback_id: "F-2" }));
  await starter.close();
  expect((await waitingMail(place)).text).toContain("Hello Ann Ford,");
  expect((await call(["approvals"], place)).stderr).toBe("1 email waiting, oldest first\n");
  const { stdout } = await call(["status", id, "--json"], place);
  expect(JSON.parse(stdout)).toMatchObject({ status: "started", steps_completed: [] });
});

test.skipIf(!serverUrl)("leaves sending to a worker if the database is shared", async () => {
  const [endpoint, mails] = [await startSparqlEndpoint(), await startSmtpServer()];
  onTestFinished(() => mails[Symbol.asyncDispose]());
  const { cwd, env } = workplace();
  const shared = { ...env, DATABASE_URL: await newDatabase(), ONTOLOGY_URL: `${endpoint.origin}/sparql` };
  const place = { cwd, env: shared };
  for (const id of ["F-1", "F-3"])
    await call(["process", ...FEEDBACK.with(1, id)], { cwd, env: { ...shared, APPROVAL: "on" } });
  const { rendering, workflow_id } = await waitingMail(place);
  const approve = ["approvals", "approve", "F-1", "--rendering", rendering, "--by", "Eve"];
  const alone = await call(approve, place);
  expect(alone).toMatchObject({ code: 0, stdout: "" });
  expect(alone.stderr).toContain(
    "The decision is stored. A worker continues the run, and sends the email with its own settings.",
  );
  expect(alone.stderr).toContain(`abi-workflows status ${workflow_id}`);
  const again = await call([...approve, "--json"], place);
  expect(again.code).toBe(0);
  const decided = JSON.parse(again.stdout) as object;
  expect(decided).toMatchObject({ status: "decided", workflow_id, decision: "approve", by: "Eve" });
  expect(decided).not.toHaveProperty("success");
  const unwanted = JSON.parse((await call(["approvals", "show", "F-3", "--json"], place)).stdout) as {
    rendering: string;
  };
  const reject = ["approvals", "reject", "F-3", "--rendering", unwanted.rendering, "--by", "Eve"];
  expect((await call(reject, place)).stderr).toMatch(
    /^The decision is stored\. A worker continues the run\.\nThe email does not go out\. Look again with: /,
  );

  const workerPlace = { cwd, env: { ...shared, MAIL_URL: mails.url() } };
  const worker = new RunningCommand(["worker", "--data", "worker"], workerPlace);
  await worker.lines(1);
  const second = FEEDBACK.with(1, "F-2");
  await call(["process", ...second], { cwd, env: { ...shared, APPROVAL: "on", WORKER: "off" } });
  const shown = await call(["approvals", "show", "F-2", "--json"], place);
  const other = (JSON.parse(shown.stdout) as { rendering: string }).rendering;
  const approved = await call(["approvals", "approve", "F-2", "--rendering", other, "--by", "Eve", "--json"], place);
  expect(JSON.parse(approved.stdout)).toMatchObject({ success: true, response_id: expect.any(String) });
  expect((await call(approve, place)).stdout).toContain("answered by email");
  worker.kill("SIGTERM");
  await worker.ended;
  expect(mails.mails).toHaveLength(2);
  expect(outbox(place)).toEqual([]);
});

test("says which option is missing and which id is unknown", async () => {
  const place = approvalPlace();
  expect(await call(["approvals", "approve", "F-1", "--by", "Eve"], place)).toMatchObject({ code: 2 });
  expect(await call(["approvals", "edit", "F-1", "--by", "Eve", "--rendering", "x"], place)).toMatchObject({ code: 2 });
  for (const command of [
    ["show", "F-404"],
    ["reject", "F-404", "--by", "Eve", "--rendering", "0".repeat(64)],
  ]) {
    const { code, stdout } = await call(["approvals", ...command], place);
    expect([code, stdout]).toEqual([1, "There is no run with the workflow id, feedback id or reference F-404 here.\n"]);
  }
  await call(["process", ...FEEDBACK], place);
  const malformed = await call(["approvals", "approve", "F-1", "--by", "Eve", "--rendering", "abc"], place);
  expect(malformed).toMatchObject({ code: 1, stdout: "" });
  expect(malformed.stderr).toContain("rendering: must be the 64 hexadecimal digits");
});
