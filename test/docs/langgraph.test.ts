import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { root, runNode } from "./documents.ts";

const EXAMPLE = join(root, "examples/langgraph");
const env = {
  HTTP_TOKENS: "ann:feedback:write+approve:ann-secret-0123456789,ben:feedback:write:ben-secret-0123456789",
};

/** Runs a program next to the example, which loads it like LangGraph's server. */
async function run(program: string): Promise<unknown> {
  const args = ["--import", "./scripts/package-from-sources.mjs", "--input-type=module-typescript", "--eval", program];
  const dataDirectory = temporaryFolder();
  const { code, stdout, stderr } = await runNode(args, { env: { ...env, ABI_DATA_DIRECTORY: dataDirectory } });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

test("langgraph.json names existing exports, and does not let Studio bypass the tokens", () => {
  const { graphs, auth } = JSON.parse(readFileSync(join(EXAMPLE, "langgraph.json"), "utf8")) as {
    graphs: Record<string, string>;
    auth: { path: string; disable_studio_auth: boolean };
  };
  const exported = (place: string): boolean => {
    const [file = "", name = ""] = place.split(":");
    return readFileSync(join(EXAMPLE, file), "utf8").includes(`export const ${name} =`);
  };
  expect([...Object.values(graphs), auth.path].map(exported)).toEqual([true, true]);
  expect(auth.disable_studio_auth).toBe(true);
});

test("the example stays ESM wherever it is copied, because its modules use top-level await", async () => {
  const folder = temporaryFolder();
  cpSync(EXAMPLE, folder, { recursive: true });
  writeFileSync(
    join(folder, "agent.ts"),
    "export const isEsm: boolean = await Promise.resolve(import.meta.url !== '');",
  );
  writeFileSync(
    join(folder, "ask.ts"),
    "import { findPackageJSON } from 'node:module'; import { readFileSync } from 'node:fs';\n" +
      "console.log(JSON.parse(readFileSync(findPackageJSON(import.meta.url)!, 'utf8')).type, (await import('./agent.ts')).isEsm);",
  );
  const { stdout, stderr } = await runNode([join(folder, "ask.ts")], { env: {} });
  expect({ stdout, stderr }).toEqual({ stdout: "module true\n", stderr: "" });
});

test("the graph shows its email only to people who may decide, and accepts only their decisions", async () => {
  const answers = await run(`
    import { Command } from "@langchain/langgraph";
    const { graph } = await import("./examples/langgraph/agent.ts");
    const as = (identity, permissions) => ({ configurable: {
      thread_id: identity, langgraph_auth_user: { identity }, langgraph_auth_permissions: permissions } });
    const ann = as("ann", ["feedback:write", "approve"]);
    const ben = as("ben", ["feedback:write"]);
    const messages = [{ role: "user", content: "Customer C-1007 wrote: 'Great product, thank you!'" }];
    const forAnn = await graph.invoke({ messages }, ann);
    const forBen = await graph.invoke({ messages }, ben);
    const resume = { decisions: [{ type: "approve" }] };
    const byBen = await graph.invoke(new Command({ resume }), ben).catch(({ name }) => name);
    const byAnn = await graph.invoke(new Command({ resume }), ann);
    const decided = ({ messages }) => JSON.parse(messages.at(-2).content);
    console.log(JSON.stringify({
      card: forAnn.__interrupt__[0].value.action_requests[0].name,
      ben: forBen.__interrupt__ ?? null,
      byBen: typeof byBen === "string" ? byBen : decided(byBen).status,
      byAnn: decided(byAnn).decided.by,
    }));
    process.exit();
  `);
  expect(answers).toEqual({
    card: "send_mail_to_customer",
    ben: null,
    byBen: expect.stringMatching(/^(?:waiting_for_approval|EmptyInputError)$/),
    byAnn: "ann",
  });
});

test("tokens identify callers: unknown ones are refused, and each caller has their own threads", async () => {
  const answers = await run(`
    const { auth } = await import("./examples/langgraph/auth.ts");
    const { authenticate, callbacks } = auth["~handlerCache"];
    const signIn = async (headers) => {
      const request = new Request("http://localhost/threads", { headers });
      return authenticate(request).catch(({ status }) => status);
    };
    const users = await Promise.all([
      signIn({ "x-api-key": "ann-secret-0123456789" }),
      signIn({ authorization: "Bearer ben-secret-0123456789" }),
      signIn({ "x-api-key": "somebody-else-0123456789" }),
      signIn({}),
    ]);
    const value = { metadata: { owner: "ben", topic: "x" } };
    const filter = callbacks.threads({ permissions: ["feedback:write"], user: { identity: "ann" }, value });
    const refused = (() => { try { callbacks["*"]({ permissions: [] }); } catch ({ status }) { return status; } })();
    console.log(JSON.stringify({ users, filter, value, refused }));
  `);
  expect(answers).toEqual({
    users: [
      { identity: "ann", permissions: ["feedback:write", "approve"] },
      { identity: "ben", permissions: ["feedback:write"] },
      401,
      401,
    ],
    filter: { owner: "ann" },
    value: { metadata: { owner: "ann", topic: "x" } },
    refused: 403,
  });
});
