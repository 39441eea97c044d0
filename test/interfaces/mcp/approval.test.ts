import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import type { Client, ElicitRequestURLParams } from "@modelcontextprotocol/client";
import { describe, expect, it, onTestFinished } from "vitest";
import { serveMcpOverStdio, type McpOptions } from "../../../src/mcp.ts";
import { PassThrough } from "node:stream";
import { Client as EarlierClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import { by, pendingOf } from "../../support/approval.ts";
import { feedback } from "../../support/feedback.ts";
import { connect, connectEarlier, CONSOLE, LINKS, send, startMcp, TASKS } from "../../support/mcp.ts";

const CALL = { name: "process_customer_feedback", arguments: feedback() };

const startWithApproval = (options: McpOptions = { consoleUrl: CONSOLE }) =>
  startMcp(options, { configuration: { approval: true } });

type Parts = Awaited<ReturnType<typeof startWithApproval>>;

async function approve({ workflow, engine }: Parts): Promise<void> {
  const [run] = await workflow.listWorkflows({ status: "waiting_for_approval" });
  const { rendering } = await pendingOf(workflow, run!.workflow_id);
  await workflow.approveResponse(run!.workflow_id, { rendering, by });
  await engine.wait(run!.workflow_id);
}

/** A client for the current protocol version whose user gives this answer when asked to open a link. */
async function clientWhoseUser(
  url: URL,
  answer: (link: string) => Promise<"accept" | "decline" | "cancel">,
): Promise<Client> {
  const client = await connect(url, LINKS);
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    const { mode, url: link } = params as ElicitRequestURLParams;
    expect(mode).toBe("url");
    return { action: await answer(link) };
  });
  return client;
}

const linkOf = async ({ workflow }: Parts): Promise<string> =>
  `${CONSOLE}/approvals/${(await workflow.findWorkflow("F-1"))!.workflow_id}`;

describe("an email that a person has to approve", () => {
  it("is decided on at a link, which the client asks its user to open", async () => {
    const parts = await startWithApproval();
    const links: string[] = [];
    const client = await clientWhoseUser(parts.url, async (link) => {
      links.push(link);
      await approve(parts);
      return "accept";
    });
    const { structuredContent } = await client.callTool(CALL);
    expect(structuredContent).toMatchObject({ success: true, action: "auto_respond" });
    expect(Object.keys(structuredContent ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(status|duplicate)$/)]),
    );
    expect(links).toEqual([await linkOf(parts)]);
    expect(parts.mails.mails).toHaveLength(1);
  });

  it("is also decided on at a link with a client for the previous protocol version, if it holds a connection", async () => {
    const parts = await startWithApproval();
    const [input, output] = [new PassThrough(), new PassThrough()];
    const server = serveMcpOverStdio(parts.service, { input, output, consoleUrl: CONSOLE });
    const client = new EarlierClient({ name: "test", version: "1" }, { capabilities: LINKS });
    onTestFinished(async () => {
      await client.close();
      await server.close();
    });
    const links: unknown[] = [];
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      links.push([params.mode, (params as { url?: string }).url]);
      await approve(parts);
      return { action: "accept" };
    });
    // The same pair of streams, seen from the other side.
    await client.connect(new StdioServerTransport(output, input));
    expect(await client.callTool(CALL)).toMatchObject({ structuredContent: { success: true, action: "auto_respond" } });
    expect(links).toEqual([["url", await linkOf(parts)]]);
    expect(parts.mails.mails).toHaveLength(1);
  });

  it.each(["accept", "decline", "cancel"] as const)(
    "stays undecided, whatever the client answers: %s",
    async (action) => {
      const parts = await startWithApproval();
      const client = await clientWhoseUser(parts.url, async () => action);
      const result = await client.callTool(CALL);
      expect(result.structuredContent).toMatchObject({ status: "waiting_for_approval" });
      expect(JSON.stringify(result.content)).toContain(await linkOf(parts));
      expect(await parts.workflow.findWorkflow("F-1")).toMatchObject({ status: "waiting_for_approval" });
      expect(parts.mails.mails).toEqual([]);
    },
  );

  it("is announced in words to a client that opens no links, with the link if there is a console", async () => {
    const parts = await startWithApproval();
    for (const client of [await connect(parts.url, { elicitation: { form: {} } }), await connectEarlier(parts.url)]) {
      const { content, structuredContent, isError } = await client.callTool(CALL);
      expect(isError).toBeUndefined();
      expect(structuredContent).toMatchObject({ status: "waiting_for_approval" });
      expect(JSON.stringify(content)).toContain(`nothing has been sent, and you can't approve it`);
      expect(JSON.stringify(content)).toContain(await linkOf(parts));
    }
    const without = await startWithApproval({});
    const { content } = await (await connect(without.url, LINKS)).callTool(CALL);
    expect(JSON.stringify(content)).toContain("A person has to approve");
    expect(JSON.stringify(content)).not.toContain("/approvals/");
  });

  it("is also asked for in a task, until the person has decided", async () => {
    const parts = await startWithApproval();
    const { url } = parts;
    const can = { ...TASKS, ...LINKS };
    const taskId = (await send(url, "tools/call", CALL, can)).result!["taskId"];
    await parts.engine.wait(String(taskId));
    const asked = (await send(url, "tasks/get", { taskId }, can)).result!;
    expect(asked["status"]).toBe("input_required");
    const [[key, request]] = Object.entries(asked["inputRequests"] as object) as [[string, object]];
    expect(request).toMatchObject({ method: "elicitation/create", params: { mode: "url", url: await linkOf(parts) } });
    for (const action of ["decline", "cancel", "accept"]) {
      const inputResponses = { [key]: { action, content: { approve: true } } };
      expect(await send(url, "tasks/update", { taskId, inputResponses }, can)).toMatchObject({ status: 200 });
    }
    expect((await send(url, "tasks/get", { taskId }, can)).result).toMatchObject({ status: "input_required" });
    // A client that can't open links reads that an approval is needed.
    expect((await send(url, "tasks/get", { taskId }, TASKS)).result).toMatchObject({
      status: "working",
      statusMessage: expect.stringContaining(await linkOf(parts)),
    });
    await approve(parts);
    expect((await send(url, "tasks/get", { taskId }, can)).result).toMatchObject({
      status: "completed",
      result: { structuredContent: { success: true } },
    });
  });

  it("can be approved by no tool, prompt or resource, and by no method of the protocol", async () => {
    const parts = await startWithApproval();
    const { url, workflow } = parts;
    await (await connect(url)).callTool(CALL);
    const { workflow_id } = (await workflow.findWorkflow("F-1"))!;
    const { rendering } = await pendingOf(workflow, workflow_id);
    const args = { workflow_id, rendering, by };
    for (const name of parts.service.operations.map(({ operation }) => operation.name)) {
      if (name === CALL.name) continue;
      await send(url, "tools/call", { name, arguments: args }, { ...TASKS, ...LINKS });
    }
    const inputResponses = { approval: { action: "accept", content: { ...args, approved: true } } };
    await send(url, "tools/call", { ...CALL, inputResponses }, LINKS);
    await send(url, "tools/call", { name: CALL.name, arguments: { ...feedback(), ...args, approved: true } }, LINKS);
    expect(await workflow.findWorkflow("F-1")).toMatchObject({ status: "waiting_for_approval" });
    expect(parts.mails.mails).toEqual([]);
  });
});

it.each(["ftp://example.org", "console", "https://example.org/?a=b", "javascript:alert(1)"])(
  "the server refuses %s as the console's address",
  async (consoleUrl) => {
    await expect(startMcp({ consoleUrl })).rejects.toThrow("consoleUrl (PUBLIC_URL) must be an http or https URL");
  },
);
