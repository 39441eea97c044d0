import assert from "node:assert/strict";
import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { convertToOpenAITool } from "@langchain/core/utils/function_calling";
import { assertStrictSchema } from "./strict-schema.ts";

/** A tool and what is needed to test it. */
export interface ToolUnderTest {
  tool: StructuredToolInterface;
  /** Returns arguments for a call that succeeds. Each time, they must ask for new work. */
  validArguments: () => Record<string, unknown>;
  /** Arguments that the tool must refuse. */
  invalidArguments: Record<string, unknown>;
  /**
   * How much the tool has done so far, as a whole number, counted at the receiver: emails received,
   * rows written. New work must increase it. `"none"` for a tool that only reads.
   */
  effects: "none" | (() => number | Promise<number>);
}

/** One thing that a tool must guarantee. `check` rejects with what is wrong. */
export interface ConformanceCheck {
  readonly name: string;
  readonly check: () => Promise<void>;
}

/** The result of a call: the text for the model, and the artifact for the program. */
interface Answer {
  content: string;
  artifact: unknown;
}

/** The form of function names that OpenAI and most others accept. */
const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** A line of a stack trace, even within JSON. */
const STACK = /(?:\n|\\n)\s+at .*:\d+:\d+/;
/** Effects may come this long after the answer, and still count. Milliseconds. */
const QUIET_MS = 50;
/** Calls are aborted this long after their start, and one more halfway through. Milliseconds. */
const ABORTS_AFTER_MS = [0, 1, 5, 20];

async function call({ tool }: ToolUnderTest, args: Record<string, unknown>, signal?: AbortSignal): Promise<Answer> {
  const request = { type: "tool_call", id: "conformance", name: tool.name, args } as const;
  const message: unknown = await tool.invoke(request, signal ? { signal } : {});
  assert.ok(typeof message === "object" && message !== null && "content" in message, "a call must give a ToolMessage");
  const { content, artifact } = message as { content: unknown; artifact?: unknown };
  assert.equal(typeof content, "string", "the content for the model must be text");
  assert.doesNotMatch(content as string, STACK, "the model must not be shown a stack");
  return { content: content as string, artifact };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** The `error` of an artifact, or of a text that is JSON. */
function errorIn(value: unknown): string | undefined {
  return isRecord(value) && typeof value["error"] === "string" && value["error"].trim() ? value["error"] : undefined;
}

/**
 * The error that the model reads: the whole text if it begins with "Error:" or includes the
 * artifact's error, otherwise the `error` in its JSON. Undefined if the text shows no error.
 */
function errorShown({ content, artifact }: Answer): string | undefined {
  const known = errorIn(artifact);
  if (/^\W*error:/i.test(content) || (known && content.includes(known))) return content;
  try {
    return errorIn(JSON.parse(content));
  } catch {
    return undefined;
  }
}

async function succeed(subject: ToolUnderTest, args: Record<string, unknown>): Promise<Answer> {
  const answer = await call(subject, args);
  assert.equal(errorIn(answer.artifact) ?? errorShown(answer), undefined, "a call with valid arguments must succeed");
  return answer;
}

/** How much has been done, including late effects. */
async function countEffects({ effects }: ToolUnderTest): Promise<number> {
  if (effects === "none") return 0;
  await sleep(QUIET_MS);
  const count = await effects();
  assert.ok(Number.isSafeInteger(count), `effects must give a whole number, not ${count}`);
  return count;
}

/** The effect of one call with new arguments, and how long it takes in milliseconds. */
async function measure(subject: ToolUnderTest): Promise<{ effect: number; took: number }> {
  const before = await countEffects(subject);
  const start = performance.now();
  await succeed(subject, subject.validArguments());
  const took = performance.now() - start;
  const effect = (await countEffects(subject)) - before;
  assert.ok(
    subject.effects === "none" || effect > 0,
    "a call with valid arguments had no effect: does effects count it, and does validArguments ask for new work each time?",
  );
  return { effect, took };
}

/**
 * The later answer may have more fields, such as `duplicate: true`, but must otherwise be the same.
 */
function assertRepeated(subject: ToolUnderTest, earlier: unknown, later: unknown): void {
  if (subject.effects === "none" || !isRecord(earlier) || !isRecord(later)) return;
  const repeated = Object.fromEntries(Object.keys(earlier).map((field) => [field, later[field]]));
  assert.deepEqual(repeated, { ...earlier }, "the same call must have the same result");
}

/**
 * Returns checks of what a LangChain tool must guarantee before a model may use it: schema, errors,
 * aborts, and that work is done once. They work for any project's tools and with any test runner.
 * Run them one at a time. If the tool has effects, they wait more than a second in total for late
 * ones.
 *
 * @example for (const { name, check } of toolConformance({ tool, validArguments, invalidArguments,
 *   effects })) test(name, check);
 */
export function toolConformance(subject: ToolUnderTest): ConformanceCheck[] {
  const { tool, validArguments, invalidArguments } = subject;
  const checks: Record<string, () => Promise<void>> = {
    "has a name that every model accepts, and a description": async () => {
      assert.match(tool.name, TOOL_NAME);
      assert.ok(tool.description.trim(), "the description is empty");
    },
    "has a schema for OpenAI's strict mode, with a description for every argument": async () =>
      assertStrictSchema(convertToOpenAITool(tool).function.parameters),
    "returns text for the model and an artifact for the program": async () => {
      const { content, artifact } = await succeed(subject, validArguments());
      assert.ok(content.trim(), "the content for the model is empty");
      assert.ok(isRecord(artifact), "there is no artifact: use content_and_artifact");
      assert.deepEqual(JSON.parse(JSON.stringify(artifact)), artifact, "the artifact must be JSON");
    },
    "does not change the arguments": async () => {
      const args = validArguments();
      const before = structuredClone(args);
      await call(subject, args);
      assert.deepEqual(args, before);
    },
    "answers invalid arguments with an error that the model can read, and does nothing": async () => {
      const before = await countEffects(subject);
      const answer = await call(subject, invalidArguments);
      assert.ok(errorShown(answer), 'the content must say what is wrong, such as JSON with "error"');
      assert.equal(await countEffects(subject), before);
    },
    "does nothing if the call was aborted before it began": async () => {
      const before = await countEffects(subject);
      const reason = new Error("aborted by the conformance suite");
      await assert.rejects(call(subject, validArguments(), AbortSignal.abort(reason)));
      assert.equal(await countEffects(subject), before);
    },
    "does its work once if a call is aborted during the work and repeated": async () => {
      const { effect, took } = await measure(subject);
      for (const delay of [...ABORTS_AFTER_MS, took / 2]) {
        const args = validArguments();
        const before = await countEffects(subject);
        const controller = new AbortController();
        // The call may succeed or fail: it may have been completed already.
        const settled = Promise.allSettled([call(subject, args, controller.signal)]);
        // LangChain awaits several promises before it calls the tool; `immediate` settles after
        // them.
        await (delay < 1 ? immediate() : sleep(delay));
        controller.abort(new Error("aborted by the conformance suite"));
        await settled;
        await succeed(subject, args);
        assert.equal((await countEffects(subject)) - before, effect, `aborted after ${delay.toFixed(1)} ms`);
      }
    },
    "does its work once if the same call is made twice": async () => {
      const { effect } = await measure(subject);
      const args = validArguments();
      const before = await countEffects(subject);
      const first = await succeed(subject, args);
      const second = await succeed(subject, args);
      assert.equal((await countEffects(subject)) - before, effect);
      assertRepeated(subject, first.artifact, second.artifact);
    },
    "does its work once if the same call is made twice at the same time": async () => {
      const { effect } = await measure(subject);
      const args = validArguments();
      const before = await countEffects(subject);
      const answers = await Promise.all([succeed(subject, args), succeed(subject, args)]);
      assert.equal((await countEffects(subject)) - before, effect);
      const size = ({ artifact }: Answer): number => Object.keys(artifact ?? {}).length;
      const [lesser, fuller] = answers.toSorted((a, b) => size(a) - size(b));
      assertRepeated(subject, lesser?.artifact, fuller?.artifact);
    },
  };
  return Object.entries(checks).map(([name, check]) => ({ name, check }));
}
