import type { CallToolResult } from "@modelcontextprotocol/server";
import { isObject } from "../../json.ts";
import type { Operation } from "../../framework/operation.ts";
import type { RunResult } from "../../framework/result.ts";

/** The result of a call, for clients that read structured content and for those that read text. */
export function toolResult(operation: Operation, result: object, notes: readonly string[] = []): CallToolResult {
  const failed = failureOf(result);
  const content = [...(failed ? [failed.error] : []), ...notes, JSON.stringify(result)].map(
    (text) => ({ type: "text", text }) as const,
  );
  // Clients check `structuredContent` against the output schema, which a direct operation's error
  // doesn't match.
  if (failed && operation.kind === "direct") return { content, isError: true };
  return { content, structuredContent: result, ...(failed && { isError: true }) };
}

/**
 * The failure of a call; undefined if it has not failed. A run that is retried automatically has
 * not failed, because nobody has to do anything about it.
 */
function failureOf(result: object): { error: string } | undefined {
  const { success, error, status } = result as Partial<RunResult>;
  return success === false && typeof error === "string" && status !== "processing" ? { error } : undefined;
}

/** The workflow id of the run that a result is about, if the run waits for a person. */
export const waitingRun = (result: object): string | undefined =>
  isObject(result) && result["status"] === "waiting_for_approval" && typeof result["workflow_id"] === "string"
    ? result["workflow_id"]
    : undefined;
