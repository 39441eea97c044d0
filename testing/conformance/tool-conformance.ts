import assert from "node:assert/strict";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { convertToOpenAITool } from "@langchain/core/utils/function_calling";
import { assertStrictSchema } from "./strict-schema.ts";

/** A tool and what is needed to try it. */
export interface ToolUnderTest {
  tool: StructuredToolInterface;
  /** Arguments of a call that succeeds; new ones each time, which have not been used before. */
  validArguments: () => Record<string, unknown>;
  /** Arguments that the tool must refuse. */
  invalidArguments: Record<string, unknown>;
  /** How much the tool has done so far, counted where it was done: mails received, rows written. For a tool that only reads, 0. */
  effects: () => number | Promise<number>;
}

/** One promise of a tool. `check` rejects with what is wrong. */
export interface ConformanceCheck {
  readonly name: string;
  readonly check: () => Promise<void>;
}

/** What a call brought: the text for the model, and the artifact for the program. */
interface Answer {
  content: string;
  artifact: unknown;
}

/** What the function names of OpenAI and most others may look like. */
const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** Of a line of a stack trace. */
const STACK = /\n\s+at /;

async function call({ tool }: ToolUnderTest, args: Record<string, unknown>, signal?: AbortSignal): Promise<Answer> {
  const request = { type: "tool_call", id: "conformance", name: tool.name, args } as const;
  const message: unknown = await tool.invoke(request, signal ? { signal } : {});
  assert.ok(typeof message === "object" && message !== null && "content" in message, "a call must give a ToolMessage");
  const { content, artifact } = message as { content: unknown; artifact?: unknown };
  assert.equal(typeof content, "string", "the content for the model must be text");
  return { content: content as string, artifact };
}

/** Works on artifacts that say so themselves, and on text for the model that is JSON. */
function errorOf({ content, artifact }: Answer): string | undefined {
  const told = (value: unknown): string | undefined =>
    typeof value === "object" && value !== null && "error" in value && typeof value.error === "string"
      ? value.error
      : undefined;
  try {
    return told(artifact) ?? told(JSON.parse(content));
  } catch {
    return undefined;
  }
}

async function succeed(subject: ToolUnderTest, args: Record<string, unknown>): Promise<Answer> {
  const answer = await call(subject, args);
  assert.equal(errorOf(answer), undefined, "a call with valid arguments must succeed");
  return answer;
}

/**
 * What a LangChain tool must hold so that a model can be trusted with it: schema, errors, abort, once. Runs on any project's
 * tools with any test runner.
 *
 * @example
 * for (const { name, check } of toolConformance({ tool, validArguments, invalidArguments, effects })) test(name, check);
 */
export function toolConformance(subject: ToolUnderTest): ConformanceCheck[] {
  const { tool, validArguments, invalidArguments, effects } = subject;
  const checks: Record<string, () => Promise<void>> = {
    "has a name that every model takes, and a description": async () => {
      assert.match(tool.name, TOOL_NAME);
      assert.ok(tool.description.trim(), "the description is empty");
    },
    "has a schema for OpenAI's strict mode, with a description for every argument": async () =>
      assertStrictSchema(convertToOpenAITool(tool).function.parameters),
    "gives text for the model and an artifact for the program": async () => {
      const { content, artifact } = await succeed(subject, validArguments());
      assert.ok(content.trim(), "the content for the model is empty");
      assert.ok(typeof artifact === "object" && artifact !== null, "there is no artifact: use content_and_artifact");
      assert.deepEqual(JSON.parse(JSON.stringify(artifact)), artifact, "the artifact must be JSON");
    },
    "leaves the arguments as they were": async () => {
      const args = validArguments();
      const before = structuredClone(args);
      await call(subject, args);
      assert.deepEqual(args, before);
    },
    "answers bad arguments with an error that the model can read, and does nothing": async () => {
      const before = await effects();
      const answer = await call(subject, invalidArguments);
      assert.ok(errorOf(answer), 'the answer must have "error" with what is wrong');
      assert.doesNotMatch(answer.content, STACK, "the model must not be shown a stack");
      assert.equal(await effects(), before);
    },
    "does nothing where the call was aborted before it began": async () => {
      const before = await effects();
      const reason = new Error("aborted by the conformance suite");
      await assert.rejects(call(subject, validArguments(), AbortSignal.abort(reason)));
      assert.equal(await effects(), before);
    },
    "does it once where a call was aborted on the way and made again": async () => {
      const once = await effectOfOne(subject);
      const args = validArguments();
      const before = await effects();
      const controller = new AbortController();
      // Either way it may end: it may have been done already.
      const settled = Promise.allSettled([call(subject, args, controller.signal)]);
      await Promise.resolve();
      controller.abort(new Error("aborted by the conformance suite"));
      await settled;
      await succeed(subject, args);
      assert.equal((await effects()) - before, once);
    },
    "does it once where the same call is made twice": async () => {
      const once = await effectOfOne(subject);
      const args = validArguments();
      const before = await effects();
      await succeed(subject, args);
      await succeed(subject, args);
      assert.equal((await effects()) - before, once);
    },
    "does it once where the same call is made twice at the same time": async () => {
      const once = await effectOfOne(subject);
      const args = validArguments();
      const before = await effects();
      await Promise.all([succeed(subject, args), succeed(subject, args)]);
      assert.equal((await effects()) - before, once);
    },
  };
  return Object.entries(checks).map(([name, check]) => ({ name, check }));
}

async function effectOfOne(subject: ToolUnderTest): Promise<number> {
  const before = await subject.effects();
  await succeed(subject, subject.validArguments());
  return (await subject.effects()) - before;
}
