import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { serve } from "../support/http.ts";
import { rawMail, utf8 } from "../support/raw-mail.ts";
import { call, FEEDBACK, parseLines, RunningCommand, workplace } from "./command-process.ts";

const SECRET = "ann-0123456789abcdef";
const TOKENS = {
  ann: { scopes: "approve+feedback:read+feedback:write+admin", secret: SECRET },
  reader: { scopes: "feedback:read", secret: "reader-0123456789ab" },
  writer: { scopes: "feedback:write", secret: "writer-0123456789ab" },
  approver: { scopes: "approve", secret: "approver-0123456789" },
};
const HTTP_TOKENS = Object.entries(TOKENS)
  .map(([name, { scopes, secret }]) => `${name}:${scopes}:${secret}`)
  .join();

/** A service in its own process, and commands that call it from an empty folder. */
async function startService() {
  const place = workplace();
  const served = new RunningCommand(["serve", "--port", "0", "--json"], {
    ...place,
    env: { ...place.env, HTTP_TOKENS, APPROVAL: "on" },
  });
  const [line] = await served.lines(1);
  const { url } = JSON.parse(line!) as { url: string };
  const elsewhere = workplace();
  const env = { ABI_URL: url, ABI_TOKEN: SECRET };
  const run = (args: readonly string[], more: Record<string, string> = {}) =>
    call(args, { cwd: elsewhere.cwd, env: { ...env, ...more } });
  return { place, elsewhere, url, served, run, outbox: join(place.cwd, ".abi-workflows", "outbox") };
}

describe("a command with the address of a service", () => {
  it("submits, reads, decides and queries there, and leaves no files here", async () => {
    const { run, outbox, elsewhere } = await startService();
    const processed = await run(["process", ...FEEDBACK, "--json"]);
    expect(processed).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(processed.stdout)).toMatchObject({ feedback_id: "F-1", status: "waiting_for_approval" });
    expect((await run(["approvals"])).stdout).toMatch(/F-1 +C-1 +positive/);
    const shown = JSON.parse((await run(["approvals", "show", "F-1", "--json"])).stdout) as { rendering: string };
    const approved = await run(["approvals", "approve", "F-1", "--rendering", shown.rendering]);
    expect(approved.stdout).toContain("answered by email");
    expect(readdirSync(outbox)).toHaveLength(1);
    const late = await run(["approvals", "reject", "F-1", "--rendering", shown.rendering, "--json"]);
    expect(late.code).toBe(1);
    expect(JSON.parse(late.stdout)).toMatchObject({ error_code: "already_decided", error_type: "conflict" });

    const status = JSON.parse((await run(["status", "F-1", "--history", "--json"])).stdout) as Record<string, unknown>;
    expect(status).toMatchObject({ status: "completed", feedback_id: "F-1", workflow: "customer-feedback" });
    expect(status["history"]).toContainEqual(expect.objectContaining({ step: "response_sent", status: "completed" }));
    expect((await run(["cancel", "F-1"])).stdout).toBe("F-1 has already ended: it is completed.\n");
    expect((await run(["status", "F-404"])).stdout).toContain("There is no run");
    const asked = await run(["query", "SELECT ?id { ?f a abi:Feedback ; abi:id ?id }", "--json"]);
    expect(JSON.parse(asked.stdout)).toMatchObject({ results: { bindings: [{ id: { value: "F-1" } }] } });
    expect(readdirSync(elsewhere.cwd)).toEqual(["customers.csv"]);
  });

  it("processes a file there, in order, and can be repeated", async () => {
    const { run, elsewhere } = await startService();
    const rows = ["F-1,C-1,Hello,I love it!", "F-2,C-404,Hello,I love it!", "F-3,C-2,,", "F-4,C-2,Hello,It is slow."];
    const file = join(elsewhere.cwd, "feedback.csv");
    writeFileSync(file, ["feedback_id,customer_id,subject,feedback_text", ...rows, ""].join("\n"));
    const once = parseLines((await run(["batch", file, "--json"])).stdout);
    expect(once.map(({ feedback_id, status, error_code }) => [feedback_id, status ?? error_code])).toEqual([
      ["F-1", "waiting_for_approval"],
      ["F-2", "customer_not_found"],
      ["F-3", "invalid_parameters"],
      ["F-4", "waiting_for_approval"],
    ]);
    // The emails are on the service's machine, so the command doesn't say where.
    expect((await run(["batch", file])).stdout).not.toContain("emails are in");
    const again = parseLines((await run(["batch", file, "--json"])).stdout);
    expect(again[0]).toMatchObject({ feedback_id: "F-1", status: "waiting_for_approval" });
  });

  it("imports and refreshes customers there, and names the rows that can't be read", async () => {
    const { run, elsewhere } = await startService();
    const file = join(elsewhere.cwd, "crm.csv");
    writeFileSync(file, "id,name,email,lifetime_value\nC-8,Mia,mia@example.org,12.5\n,nobody,n@example.org,1\n");
    const imported = await run(["import-customers", file, "--json"]);
    expect(imported.code).toBe(1);
    expect(JSON.parse(imported.stdout)).toMatchObject({
      loaded: 1,
      invalid: 1,
      issues: [{ place: "line 3", skipped: true }],
    });
    // An invalid value doesn't replace the stored one, just as without a service.
    writeFileSync(file, "id,name,email,lifetime_value\nC-8,Mia B,mia@example.org,a lot\n");
    const again = await run(["import-customers", file]);
    expect(again.stdout).toMatch(/1 customer loaded, 0 invalid\n {2}line 2 \(C-8\): [^\n]+\n$/);
    const question = "SELECT ?name ?value { ?c abi:id 'C-8' ; abi:name ?name ; abi:lifetimeValue ?value }";
    const asked = await run(["query", question, "--store", "customer_data", "--json"]);
    expect(JSON.parse(asked.stdout)).toMatchObject({
      results: { bindings: [{ name: { value: "Mia B" }, value: { value: "12.5" } }] },
    });

    expect(await run(["refresh-customer", "C-1"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("C-1 is stored"),
    });
    expect(await run(["refresh-customer", "C-404"])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("does not know C-404"),
    });
  });

  it("imports more customers than fit into one request", async () => {
    const { run, elsewhere } = await startService();
    const file = join(elsewhere.cwd, "crm.csv");
    const rows = Array.from({ length: 1234 }, (_, n) => `N-${n},Name ${n}`);
    writeFileSync(file, ["id,name", ...rows, ""].join("\n"));
    expect((await run(["import-customers", file])).stdout).toBe("1,234 customers loaded, 0 invalid\n");
    const asked = await run([
      "query",
      "SELECT (COUNT(?c) AS ?n) { ?c abi:id ?id FILTER STRSTARTS(?id, 'N-') }",
      "--store",
      "customer_data",
      "--json",
    ]);
    expect(JSON.parse(asked.stdout)).toMatchObject({ results: { bindings: [{ n: { value: "1234" } }] } });
  });

  it("ingests emails there, and decides on those that are held", async () => {
    const { run, elsewhere } = await startService();
    for (const id of ["C-1", "C-2"]) await run(["refresh-customer", id]);
    const mails = join(elsewhere.cwd, "mails");
    mkdirSync(mails);
    writeFileSync(
      join(mails, "1.eml"),
      rawMail({ From: "ann@example.com", "Content-Type": "text/plain; charset=utf-8" }, utf8("I love it! Café")),
    );
    writeFileSync(join(mails, "2.eml"), rawMail({ From: "stranger@example.com" }, "It is broken."));
    const taken = parseLines((await run(["ingest", mails, "--json"])).stdout);
    expect(taken).toMatchObject([
      { place: "1.eml", status: "processing", run: { status: "waiting_for_approval" } },
      { place: "2.eml", status: "needs_person", reason: "unknown_sender" },
    ]);
    const [held] = JSON.parse((await run(["held-mails", "--json"])).stdout) as { mail_id: string }[];
    expect((await run(["held-mails", "show", held!.mail_id])).stdout).toContain("It is broken.");
    const assigned = await run(["held-mails", "assign", held!.mail_id, "--customer-id", "C-2", "--json"]);
    expect(JSON.parse(assigned.stdout)).toMatchObject({ customer_id: "C-2", success: true });
    expect((await run(["held-mails"])).stderr).toContain("No emails are waiting for a person.");
    const unknown = await run(["held-mails", "dismiss", "mail-404"]);
    expect(unknown).toMatchObject({ code: 1 });
    expect(`${unknown.stdout}${unknown.stderr}`).toContain("There is no held email with this id.");
    const refused = await run(["ingest", mails], { ABI_TOKEN: "reader-0123456789ab" });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("lacks the scope feedback:write") });
    expect(readdirSync(elsewhere.cwd).toSorted()).toEqual(["customers.csv", "mails"]);
  });

  it("needs only the scopes for what it does there", async () => {
    const { run, elsewhere, outbox } = await startService();
    const as = (name: keyof typeof TOKENS) => ({ ABI_TOKEN: TOKENS[name].secret });
    await run(["refresh-customer", "C-1"]);
    const folder = join(elsewhere.cwd, "mails");
    mkdirSync(folder);
    for (const id of ["a", "b"]) {
      const mail = { From: "ann@example.com", "Message-ID": `<${id}@example.com>` };
      writeFileSync(join(folder, `${id}.eml`), rawMail(mail, `I love it, ${id}!`));
    }
    writeFileSync(join(folder, "c.eml"), rawMail({ From: "stranger@example.com" }, "I love it."));
    const taken = await run(["ingest", folder, "--json"], as("writer"));
    expect(taken).toMatchObject({ code: 0, stderr: expect.stringContaining("lacks the scope feedback:read") });
    const [first, second, held] = parseLines(taken.stdout);
    expect([first, second, held]).toMatchObject([
      { status: "processing" },
      { status: "processing" },
      { status: "needs_person" },
    ]);
    expect(first).not.toHaveProperty("run");

    const approver = as("approver");
    type Waiting = { workflow_id: string; feedback_id: string }[];
    const listed = async () =>
      JSON.parse((await run(["approvals", "--limit", "2000", "--json"], approver)).stdout) as Waiting;
    await expect.poll(listed, { timeout: 60_000 }).toHaveLength(2);
    const latest = (await listed()).find(({ workflow_id }) => workflow_id === second!["workflow_id"]);
    const shown = await run(["approvals", "show", latest!.feedback_id, "--json"], approver);
    const { rendering } = JSON.parse(shown.stdout) as { rendering: string };
    const decided = await run(["approvals", "approve", latest!.workflow_id, "--rendering", rendering], approver);
    expect(decided).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("not known yet whether the email goes out"),
    });
    const [other] = await listed();
    const otherShown = await run(["approvals", "show", other!.workflow_id, "--json"], approver);
    const rejection = ["--rendering", (JSON.parse(otherShown.stdout) as { rendering: string }).rendering];
    const rejected = await run(["approvals", "reject", other!.workflow_id, ...rejection], approver);
    expect(rejected).toMatchObject({ code: 0, stderr: expect.stringContaining("The email does not go out.") });
    expect(rejected.stderr).not.toContain("not known yet");
    await expect.poll(() => existsSync(outbox) && readdirSync(outbox), { timeout: 60_000 }).toHaveLength(1);
    expect(await run(["approvals", "show", "F-404"], approver)).toMatchObject({ code: 1 });

    const mailId = String(held!["mail_id"]);
    const assigned = await run(["held-mails", "assign", mailId, "--customer-id", "C-1", "--json"], approver);
    expect(assigned).toMatchObject({ code: 0, stderr: expect.stringContaining("lacks the scope feedback:read") });
    expect(JSON.parse(assigned.stdout)).toMatchObject({ status: "assigned", mail_id: mailId });
  });

  it("waits as long as the service's rate limit asks it to", async () => {
    const limited = { status: 429, headers: { "retry-after": "1" } };
    // More often than after any other error.
    const server = await serve(limited, limited, limited, limited, limited, { json: { runs: [] } });
    const { code, stderr } = await call(["status"], { ...workplace(), env: { ABI_URL: server.origin } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("No runs here yet.") });
    expect(server.requests).toHaveLength(6);
  });

  it("lists more runs than the service lists at once", async () => {
    const runs = (first: number, count: number) =>
      Array.from({ length: count }, (_, n) => ({
        workflow: "orders",
        key: `O-${first + n}`,
        workflow_id: "w",
        status: "failed",
      }));
    const server = await serve({ json: { runs: runs(0, 1000), next: "w-999" } }, { json: { runs: runs(1000, 200) } });
    const { stdout } = await call(["status", "--status", "failed", "--limit", "1500", "--json"], {
      ...workplace(),
      env: { ABI_URL: server.origin },
    });
    expect((JSON.parse(stdout) as { key: string }[]).map(({ key }) => key)).toEqual(
      [...runs(0, 1200)].map(({ key }) => key),
    );
    expect(server.requests.map(({ path }) => path)).toEqual([
      "/runs?status=failed&limit=1000",
      "/runs?status=failed&after=w-999&limit=500",
    ]);
  });

  it("does not wait for a run that the service doesn't know", async () => {
    const unknown = {
      detail: "There is no run with this workflow id.",
      error_code: "unknown_run",
      error_type: "validation_error",
    };
    const accepted = { status: "processing", feedback_id: "F-1", customer_id: "C-1", workflow_id: "workflow-1" };
    const server = await serve({ status: 202, json: accepted }, { status: 404, json: unknown });
    const env = { ABI_URL: server.origin };
    expect(await call(["process", ...FEEDBACK], { ...workplace(), env })).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("There is no run with this workflow id."),
    });
  });

  it("includes the service's address in the commands that it suggests, and never the token", async () => {
    const waiting = { feedback_id: "F-1", customer_id: "C-1", success: true, steps_completed: [] };
    const server = await serve({ json: { ...waiting, status: "waiting_for_approval", workflow_id: "workflow-1" } });
    const place = workplace();
    const shown = async (args: readonly string[], env: Record<string, string>) => {
      const { stdout } = await call(["process", ...FEEDBACK, ...args], { ...place, env: { ...place.env, ...env } });
      return stdout.match(/abi-workflows approvals show.*/)?.[0];
    };
    const url = ["--url", server.origin, "--token", SECRET];
    expect(await shown(url, {})).toBe(`abi-workflows approvals show workflow-1 --url ${server.origin}`);
    expect(await shown([], { ABI_URL: server.origin })).toBe("abi-workflows approvals show workflow-1");
    expect(await shown(["--data", "Ann's data"], { APPROVAL: "on" })).toMatch(
      /^abi-workflows approvals show workflow-[\w-]+ --data 'Ann'\\''s data'$/,
    );
  });

  it("does not mistake half an answer of the agent for a whole one", async () => {
    const body = 'event: thread\ndata: {"thread_id":"x"}\n\nevent: token\ndata: {"text":"It is"}\n\n';
    const server = await serve({ headers: { "content-type": "text/event-stream" }, body });
    const env = { ABI_URL: server.origin, ABI_TOKEN: SECRET };
    expect(await call(["chat", "What is it?"], { ...workplace(), env })).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("It is"),
      stderr: expect.stringContaining("The service broke off its answer"),
    });
  });

  it.each(["chat", "process"])("sends nothing to another server, even after a redirect: %s", async (command) => {
    const thief = await serve({});
    const server = await serve({ status: 307, headers: { location: thief.origin } });
    const args = command === "chat" ? ["chat", "Process it"] : ["process", ...FEEDBACK];
    const env = { ABI_URL: server.origin, ABI_TOKEN: SECRET };
    expect(await call(args, { ...workplace(), env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("service"),
    });
    expect(server.requests).toMatchObject([{ method: "POST", headers: { authorization: `Bearer ${SECRET}` } }]);
    expect(thief.requests).toEqual([]);
  });

  it("explains what is wrong with the address, the token or its scopes", async () => {
    const { run, url, place } = await startService();
    const problem = async (args: readonly string[], env: Record<string, string>) => {
      const { code, stderr } = await run(args, env);
      return `${code} ${stderr}`;
    };
    expect(await problem(["status"], { ABI_TOKEN: "wrong-0123456789abcdef" })).toMatch(/^1 .*This token is not known/);
    expect(await problem(["status"], { ABI_TOKEN: "" })).toMatch(/^1 .*This needs a token/);
    expect(await problem(["process", ...FEEDBACK], { ABI_TOKEN: "reader-0123456789ab" })).toMatch(
      /^1 .*This token lacks the scope feedback:write/,
    );
    expect(await problem(["status"], { ABI_URL: "shop.example" })).toMatch(/^1 .*service/);
    expect(await problem(["status"], { ABI_URL: `${url}/docs` })).toMatch(
      /^1 .*There is no(?:thing at this path|.*service)/,
    );
    expect(await problem(["backup", "copy", "--url", url], {})).toMatch(/^2 .*backup works on this machine/);
    // If the service is using the files, the error says what to do.
    const { stderr } = await call(["process", ...FEEDBACK], place);
    expect(stderr).toMatch(/in use by another process .*service \(abi-workflows serve\), use it with --url/);
  });
});
