/**
 * Durable runs as tasks of the Tasks extension. A task's id is the workflow id, and its state is
 * that of the run, so nothing is stored here.
 */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import {
  ProtocolError,
  ProtocolErrorCode,
  type CallToolResult,
  type InputRequests,
  type McpServer,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import { isTerminal, type Run } from "../../engine/engine.ts";
import { isAbiError, toWireError } from "../../errors.ts";
import { withoutAbsent, isObject } from "../../json.ts";
import { tidyIdentifier } from "../../tidy-identifier.ts";
import type { Scope } from "../../framework/operation.ts";
import { failingOf } from "../../framework/result.ts";
import { approvalRequest, approvalUrl, approvalWords } from "./approval.ts";
import { supportsUrlElicitation, requireTasks } from "./client.ts";
import type { McpCaller, McpOffer, ProcessTool } from "./offer.ts";
import { toolResult } from "./tool-results.ts";

/** When to ask again, in milliseconds: steps are usually fast, people are not. */
const POLL_INTERVAL_MS = { working: 1000, waiting: 5000 };

/** A task as `tools/call` announces it and `tasks/get` reports it. */
interface Task {
  taskId: string;
  status: "working" | "input_required" | "completed" | "cancelled";
  statusMessage?: string;
  createdAt: string;
  lastUpdatedAt: string;
  ttlMs: null;
  pollIntervalMs?: number;
  inputRequests?: InputRequests;
  result?: CallToolResult;
  [field: string]: unknown;
}

/** Adds the handlers of `tasks/get`, `tasks/update` and `tasks/cancel` for one caller. */
export function addTasks(server: McpServer, offer: McpOffer, caller: McpCaller): void {
  const handle = (
    method: string,
    scope: Scope,
    work: (run: Run, tool: ProcessTool, context: ServerContext) => Promise<object>,
  ): void =>
    server.server.setRequestHandler(method, { params: TaskParams }, async ({ taskId }, context) => {
      requireTasks(context);
      requireScope(caller, scope);
      try {
        const { run, tool } = await findTask(offer, caller, taskId);
        return { ...(await work(run, tool, context)) };
      } catch (error) {
        throw protocolError(offer, error);
      }
    });
  handle("tasks/get", "feedback:read", (run, tool, context) =>
    taskOf(offer, run, tool, supportsUrlElicitation(server, context)),
  );
  // The only request that we send asks the client to send a person to the console. The client's
  // answer changes nothing: only the person's decision counts.
  handle("tasks/update", "feedback:write", () => Promise.resolve({}));
  handle("tasks/cancel", "feedback:write", async (run) => {
    await offer.service.engine.cancel(run.id);
    return {};
  });
}

const TaskParams = z.looseObject({ taskId: z.string().max(1000) });

/**
 * Starts the run of a call, and announces it as a task. If the run has already ended, the result is
 * returned at once.
 * @throws ValidationError, ConflictError, IoError, UnexpectedError
 */
export async function startTask(
  { service }: McpOffer,
  tool: ProcessTool,
  args: unknown,
  { context }: McpCaller,
): Promise<CallToolResult> {
  const { id, outcome } = await tool.workflow.submitCall(tool.read(args, context), tool.origin);
  const { run } = await service.run(id);
  if (isTerminal(run.status)) {
    const result = await tool.workflow.getWorkflowResult(id);
    return toolResult(tool.operation, outcome === "existing" ? { ...result, duplicate: true } : result);
  }
  return { resultType: "task", ...progressOf(run, run.startTime) } as unknown as CallToolResult;
}

/**
 * The run of a task. If the program sets fields for this caller, such as the customer, the runs of
 * other customers count as unknown.
 * @throws ProtocolError, IoError, UnexpectedError if the program has not set such a field correctly
 */
async function findTask(
  { service, processes }: McpOffer,
  { context }: McpCaller,
  taskId: string,
): Promise<{ run: Run; tool: ProcessTool }> {
  const run = await service.engine.get(tidyIdentifier(taskId));
  const tool = run && processes.get(run.workflow);
  if (run && tool && belongsToCaller(run, tool, context)) return { run, tool };
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, "There is no task with this id.");
}

/** Whether the run was submitted with the values that the program sets for this caller. */
export function belongsToCaller({ input }: Run, tool: ProcessTool, context: McpCaller["context"]): boolean {
  const values = Object.entries(tool.read({}, context) as Record<string, unknown>);
  return isObject(input) && values.every(([name, value]) => isDeepStrictEqual(input[name], value));
}

async function taskOf(
  { service, consoleUrl }: McpOffer,
  run: Run,
  tool: ProcessTool,
  linksAreOpened: boolean,
): Promise<Task> {
  const updated = run.endTime ?? (await service.engine.events(run.id)).at(-1)?.time ?? run.startTime;
  const task = progressOf(run, updated);
  if (run.status === "cancelled") return { ...task, status: "cancelled" };
  if (isTerminal(run.status)) {
    const outcome = await tool.workflow.getWorkflowResult(run.id);
    const result = { ...toolResult(tool.operation, outcome), resultType: "complete" };
    return { ...task, status: "completed", result };
  }
  if (run.waitingFor === undefined) return task;
  const url = approvalUrl({ consoleUrl }, run.id);
  const waiting = { ...task, statusMessage: approvalWords(url) };
  if (url === undefined || !linksAreOpened) return waiting;
  const inputRequests = { [requestKey(run.waitingFor.subject)]: approvalRequest(url) };
  return { ...waiting, status: "input_required", inputRequests };
}

/** The part of a task that is built in the same way in all states. */
function progressOf(run: Run, updated: Date): Task {
  const waits = run.status === "waiting_for_approval";
  const message = run.failing ? failingOf(run.failing).error : run.currentStep;
  return {
    taskId: run.id,
    status: "working",
    ...withoutAbsent({ statusMessage: message }),
    createdAt: run.startTime.toISOString(),
    lastUpdatedAt: updated.toISOString(),
    ttlMs: null,
    ...(!isTerminal(run.status) && { pollIntervalMs: waits ? POLL_INTERVAL_MS.waiting : POLL_INTERVAL_MS.working }),
  };
}

/**
 * The key of a request for input: a different one for each approval that a run asks for, and the
 * same one each time the task is read.
 */
const requestKey = (subject: string): string =>
  `approval-${createHash("sha256").update(subject).digest("hex").slice(0, 16)}`;

/** @throws ProtocolError */
export function requireScope({ scopes }: McpCaller, scope: Scope): void {
  if (!scopes.includes(scope)) {
    throw new ProtocolError(ProtocolErrorCode.InvalidRequest, `This needs the scope ${scope}.`);
  }
}

/** Turns any error into one that may be sent to the client. Logs unexpected ones. */
export function protocolError({ service }: McpOffer, error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  service.logUnexpected(error);
  const isInput = isAbiError(error) && error.type === "validation_error";
  const code = isInput ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError;
  return new ProtocolError(code, toWireError(error).error);
}
