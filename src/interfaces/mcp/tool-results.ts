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
  // Clients check `structuredContent` against the output schema, which a plain error does not match.
  if (failed && operation.kind === "direct") return { content, isError: true };
  return { content, structuredContent: result, ...(failed && { isError: true }) };
}

/**
 * The failure of a call. A run that continues by itself is not a failure, because there is nothing
 * to do about it.
 */
function failureOf(result: object): { error: string } | undefined {
  const { success, error, status } = result as Partial<RunResult>;
  return success === false && typeof error === "string" && status !== "processing" ? { error } : undefined;
}

/** The run of this result, if it waits for a person. */
export const waitingRun = (result: object): string | undefined =>
  isObject(result) && result["status"] === "waiting_for_approval" && typeof result["workflow_id"] === "string"
    ? result["workflow_id"]
    : undefined;
