import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { rawMail } from "../support/raw-mail.ts";
import { describe, expect, it } from "vitest";
import { codeBlocks, createProject, filesOf, root, runNode, startNode } from "./documents.ts";

const TOKEN = "all-0123456789abcdefgh";
const SECRET = `whsec_${Buffer.from("s".repeat(32)).toString("base64")}`;
const hasTools = ["curl", "jq", "bash"].every((tool) => spawnSync(tool, ["--version"]).status === 0);

/** The page's service, with a token for each scope. */
async function startServe(cwd: string): Promise<string> {
  const serve = startNode([join(root, "bin/abi-workflows.js"), "serve", "--port", "0", "--json"], {
    cwd,
    env: {
      CUSTOMER_SOURCE: "customers.csv",
      APPROVAL: "on",
      HTTP_TOKENS: `ann:approve+feedback:read+feedback:write+admin:${TOKEN}`,
      HTTP_WEBHOOK_SECRETS: SECRET,
    },
  });
  const [line] = (await once(createInterface({ input: serve.stdout! }), "line")) as [string];
  return (JSON.parse(line) as { url: string }).url;
}

describe("the page about HTTP", () => {
  it.skipIf(!hasTools)("has commands that work, one after the other", async () => {
    const cwd = createProject(filesOf("docs/http.md"));
    copyFileSync(join(root, "examples/data/feedback.jsonl"), join(cwd, "feedback.jsonl"));
    writeFileSync(join(cwd, "mail.eml"), rawMail({ From: "Mira Okafor <mira.okafor@example.com>" }));
    const url = await startServe(cwd);
    const blocks = codeBlocks("docs/http.md").filter(
      ({ language, code }) => language === "sh" && code.includes("curl"),
    );
    const answers: string[] = [];
    for (const { code } of blocks) {
      const env = { PATH: process.env["PATH"] ?? "", URL: url, TOKEN };
      answers.push((await promisify(execFile)("bash", ["-euc", code], { cwd, env })).stdout);
    }
    const [submitted, viewed, batch, runs, approved, others, tool, graph] = answers;
    expect(JSON.parse(submitted!)).toMatchObject({ status: "processing", feedback_id: "F-1" });
    expect(JSON.parse(viewed!)).toMatchObject({ feedback_id: "F-1" });
    expect(batch!.trimEnd().split("\n").length).toBeGreaterThan(50);
    expect(runs).toContain('"history":[');
    expect(approved).toContain('"decision":"approve","by":"ann"');
    expect(others).toMatch(/^\{"status":"processing".*abi_workflow_runs\{/s);
    expect(JSON.parse(tool!)).toMatchObject({ sentiment: "positive" });
    expect(JSON.parse(graph!)).toMatchObject({ head: { vars: ["id", "sentiment"] } });

    const sent = await runNode(["send-event.ts"], { cwd, env: { URL: url, SECRET } });
    expect(sent).toMatchObject({ code: 0, stdout: expect.stringMatching(/^202 \{\s+status: 'processing'/) });
  });

  it.skipIf(!hasTools)("is introduced by the README, whose commands approve an email", async () => {
    const cwd = createProject({});
    const serve = startNode([join(root, "bin/abi-workflows.js"), "serve", "--demo", "--port", "0", "--json"], { cwd });
    const [line] = (await once(createInterface({ input: serve.stdout! }), "line")) as [string];
    const { url, token } = JSON.parse(line) as { url: string; token: string };
    const { code } = codeBlocks("README.md").find(({ code }) => code.includes("/approvals/$ID"))!;
    const script = code.replaceAll("localhost:8008", new URL(url).host);
    const env = { PATH: process.env["PATH"] ?? "", TOKEN: token };
    const { stdout } = await promisify(execFile)("bash", ["-euc", script], { cwd, env });
    expect(stdout).toContain('"status":"waiting_for_approval"');
    expect(stdout).toMatch(/"decision":"approve","by":"local"/);
  });

  it("has a program that mounts the service in its own server", async () => {
    const cwd = createProject(filesOf("docs/http.md"));
    expect(await runNode(["own-server.ts"], { cwd })).toEqual({ code: 0, stdout: "200 { runs: [] }\n", stderr: "" });
  });
});
