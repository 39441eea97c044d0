import type { RunnableConfig } from "@langchain/core/runnables";
import { ValidationError } from "../../src/errors.ts";

/** The address of one checkpoint, as LangGraph hands it about. */
export const checkpointConfig = (threadId: string, namespace: string, checkpointId: string): RunnableConfig => ({
  configurable: { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: checkpointId },
});

/** Thread and namespace of a call that can't do without a thread. */
export function threadAndNamespace(config: RunnableConfig): { threadId: string; namespace: string } {
  return {
    threadId: requiredId("thread_id", config.configurable?.["thread_id"]),
    namespace: (config.configurable?.["checkpoint_ns"] as string | undefined) ?? "",
  };
}

/** The thread of a call that may be about all threads. */
export function threadOf(config: RunnableConfig): string | undefined {
  const id: unknown = config.configurable?.["thread_id"];
  return id === undefined ? undefined : requiredId("thread_id", id);
}

/** Lone surrogates are refused: stored as UTF-8 they would all become one character, and two conversations one. */
export function requiredId(name: string, value: unknown): string {
  if (typeof value === "string" && value !== "" && value.isWellFormed()) return value;
  throw new ValidationError(
    `Conversations are kept by thread: pass { configurable: { ${name}: "…" } } with a text that is not empty.`,
    { issues: [{ path: `configurable.${name}`, message: "must be well-formed text that is not empty" }] },
  );
}
