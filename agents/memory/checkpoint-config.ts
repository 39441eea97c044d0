import type { RunnableConfig } from "@langchain/core/runnables";
import { ValidationError } from "../../src/errors.ts";

/** The address of one checkpoint, in LangGraph's form. */
export const checkpointConfig = (threadId: string, namespace: string, checkpointId: string): RunnableConfig => ({
  configurable: { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: checkpointId },
});

/** Thread and namespace of a call that needs a thread. */
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

/**
 * The id, if it is well-formed text that is not empty. Lone surrogates are refused: in UTF-8 they
 * would all become the same character, so two conversations could become one.
 * @throws ValidationError
 */
export function requiredId(name: string, value: unknown): string {
  if (typeof value === "string" && value !== "" && value.isWellFormed()) return value;
  throw new ValidationError(
    `Conversations are stored by thread: pass { configurable: { ${name}: "…" } } with a text that is not empty.`,
    { issues: [{ path: `configurable.${name}`, message: "must be well-formed text that is not empty" }] },
  );
}
