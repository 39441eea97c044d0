import { setTimeout as sleep } from "node:timers/promises";
import { DynamicStructuredTool, tool } from "@langchain/core/tools";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { toolConformance, type ToolUnderTest } from "../../testing/index.ts";
import { feedback, startFeedback } from "../support/feedback.ts";

/** Names of the checks that a tool fails. */
async function broken(subject: ToolUnderTest): Promise<string[]> {
  const names: string[] = [];
  for (const { name, check } of toolConformance(subject)) {
    try {
      await check();
    } catch {
      names.push(name);
    }
  }
  return names;
}

const PLAIN = {
  type: "object",
  properties: { key: { type: "string", description: "Which one." } },
  required: ["key"],
  additionalProperties: false,
};

type Answer = [content: string, artifact: object];
type Behaviour = (key: string, signal: AbortSignal | undefined, done: string[]) => Promise<Answer>;

const did = (key: string): Answer => [`did ${key}`, { key }];

/** Continues work once begun, whoever stops waiting for it, and remembers it. */
function careful(): Behaviour {
  const answers = new Map<string, Promise<Answer>>();
  return (key, signal, done) => {
    signal?.throwIfAborted();
    const begun = answers.get(key);
    if (begun) return begun;
    const answer = sleep(2).then(() => {
      done.push(key);
      return did(key);
    });
    answers.set(key, answer);
    return answer;
  };
}

const refuse = (error: string): Answer => [JSON.stringify({ error }), { error }];

/** A tool that passes all checks, except for the given changes. */
function subject({
  schema = PLAIN,
  behave = careful(),
  refusal = refuse("key must be a string"),
  ...otherwise
}: { schema?: object; behave?: Behaviour; refusal?: Answer } & Partial<ToolUnderTest> = {}): ToolUnderTest {
  const done: string[] = [];
  let calls = 0;
  return {
    tool: new DynamicStructuredTool({
      name: "do_it",
      description: "Does it.",
      schema: z.any().meta(schema as Record<string, unknown>),
      responseFormat: "content_and_artifact",
      func: async ({ key }: { key?: unknown }, _, config) =>
        typeof key === "string" ? behave(key, config?.signal, done) : refusal,
    }),
    validArguments: () => ({ key: `k${++calls}` }),
    invalidArguments: { key: 5 },
    effects: () => done.length,
    ...otherwise,
  };
}

/** Works only for the first call; other calls wait for its result. */
function once(work: (...args: Parameters<Behaviour>) => Promise<void>, answer = did): Behaviour {
  const begun = new Set<string>();
  return async (key, signal, done) => {
    signal?.throwIfAborted();
    if (!begun.has(key)) {
      begun.add(key);
      await work(key, signal, done);
    }
    return answer(key);
  };
}

/**
 * Loses the work if it is aborted between two moments, in milliseconds, and handles an abort before
 * and after correctly.
 */
function losing(from: number, to: number): Behaviour {
  const begun = new Set<string>();
  return async (key, signal, done) => {
    signal?.throwIfAborted();
    if (!begun.has(key)) {
      await sleep(from);
      signal?.throwIfAborted();
      begun.add(key);
      await sleep(to - from);
      signal?.throwIfAborted();
      done.push(key);
    }
    return did(key);
  };
}

const kept = careful();

const ARTIFACT = "returns text for the model and an artifact for the program";
const ARGUMENTS = "does not change the arguments";
const BAD_ARGUMENTS = "answers invalid arguments with an error that the model can read, and does nothing";
const ABORTED_BEFORE = "does nothing if the call was aborted before it began";
const ABORTED = "does its work once if a call is aborted during the work and repeated";
const TWICE = "does its work once if the same call is made twice";
const AT_THE_SAME_TIME = "does its work once if the same call is made twice at the same time";

describe("the conformance suite for our own tools", () => {
  it("passes all tools of customer feedback", async () => {
    const { workflow, mails } = await startFeedback({ responseCap: false });
    let calls = 0;
    const [process, ...texts] = workflow.as_tools();
    expect(
      await broken({
        tool: process!,
        validArguments: () => ({ ...feedback({ feedback_id: `F-${++calls}` }), sentiment: null }),
        invalidArguments: { ...feedback({ feedback_id: "F-bad" }), customer_id: "" },
        effects: () => mails.mails.length,
      }),
    ).toEqual([]);
    expect(mails.mails.length).toBeGreaterThan(5);
    for (const tool of texts) {
      const reading = {
        validArguments: () => ({ text: "I love it" }),
        invalidArguments: { text: 7 },
        effects: "none" as const,
      };
      expect(await broken({ tool, ...reading })).toEqual([]);
    }
  });
});

describe.concurrent("the conformance suite for tools", () => {
  it("passes a good tool that doesn't use this package", async () => {
    expect(await broken(subject())).toEqual([]);
  });

  it("detects that an ordinary tool throws at invalid arguments, has no artifact and repeats its effects", async () => {
    const done: string[] = [];
    const ordinary = tool(
      ({ key }: { key: string }) => {
        done.push(key);
        return "ok";
      },
      { name: "do_it", description: "Does it.", schema: z.object({ key: z.string().describe("Which one.") }) },
    );
    const names = await broken({ ...subject(), tool: ordinary, effects: () => done.length });
    expect(names).toEqual(expect.arrayContaining([ARTIFACT, BAD_ARGUMENTS, TWICE, AT_THE_SAME_TIME]));
  });

  it("detects a tool that changes its arguments", async () => {
    const meddling = subject();
    const { tool } = meddling;
    const invoke = tool.invoke.bind(tool);
    tool.invoke = async (call: { args: Record<string, unknown> }, config) => {
      const answer: unknown = await invoke(call, config);
      call.args["key"] = "changed";
      return answer;
    };
    expect(await broken(meddling)).toContain(ARGUMENTS);
  });

  it.each<[string, Answer]>([
    ["only the program is told of", ["{}", { error: "key must be a string" }]],
    ["is empty", ["{}", { error: " " }]],
    ["shows a stack", refuse(String(new Error("no").stack))],
    ["is none", did("5")],
  ])("detects an error that %s", async (_, refusal) => {
    expect(await broken(subject({ refusal }))).toEqual([BAD_ARGUMENTS]);
  });

  it.each<[string, Answer]>([
    ["in a text", ["Error: key must be a string", {}]],
    ["among other words", ["That did not work, key must be a string!", { error: "key must be a string" }]],
  ])("accepts an error %s", async (_, refusal) => {
    expect(await broken(subject({ refusal }))).toEqual([]);
  });

  it("detects that invalid arguments have an effect", async () => {
    let effects = 0;
    const eager = subject({ behave: once(async () => void effects++), effects: () => effects });
    const { func } = eager.tool as DynamicStructuredTool;
    Object.assign(eager.tool, {
      func: (args: { key: unknown }, ...rest: [undefined, object]) => {
        if (args.key === 5) effects += 1;
        return func(args, ...rest);
      },
    });
    expect(await broken(eager)).toEqual([BAD_ARGUMENTS]);
  });

  it("detects an artifact that is not JSON, and a stack trace in a successful answer", async () => {
    const dated = once(
      async (key, _, done) => void done.push(key),
      () => ["did it", { at: new Date(0) }],
    );
    expect(await broken(subject({ behave: dated }))).toEqual([ARTIFACT]);
    const stacked = once(
      async (key, _, done) => void done.push(key),
      () => [String(new Error("x").stack), {}],
    );
    expect(await broken(subject({ behave: stacked }))).toContain(ARTIFACT);
  });

  it.each<[string, Behaviour, string[]]>([
    ["does not heed an abort", (key, _, done) => kept(key, undefined, done), [ABORTED_BEFORE]],
    [
      "takes a call for done that was aborted on the way",
      once(async (key, signal, done) => {
        await sleep(3);
        if (!signal?.aborted) done.push(key);
      }),
      [ABORTED],
    ],
    ["is aborted in the midst of a short call", losing(0, 15), [ABORTED]],
    ["is aborted later", losing(10, 40), [ABORTED]],
    ["is aborted in the midst of a long call", losing(80, 240), [ABORTED]],
    [
      "does it again after an abort",
      (() => {
        const seen = new Set<string>();
        return async (key, signal, done) => {
          signal?.throwIfAborted();
          if (seen.has(key)) return did(key);
          done.push(key);
          await sleep(15);
          signal?.throwIfAborted();
          seen.add(key);
          return did(key);
        };
      })(),
      [ABORTED, AT_THE_SAME_TIME],
    ],
    [
      "does it at every call",
      async (key, signal, done) => {
        signal?.throwIfAborted();
        done.push(key);
        return did(key);
      },
      [ABORTED, TWICE, AT_THE_SAME_TIME],
    ],
    [
      "does it twice where it is asked at the same time",
      async (key, signal, done) => {
        signal?.throwIfAborted();
        const isDone = done.includes(key);
        await sleep(5);
        if (!isDone) done.push(key);
        return did(key);
      },
      [AT_THE_SAME_TIME],
    ],
    [
      "does it again a while after its answer",
      async (key, signal, done) => {
        signal?.throwIfAborted();
        if (done.includes(key)) setTimeout(() => done.push(key), 20);
        else done.push(key);
        return did(key);
      },
      [ABORTED, TWICE, AT_THE_SAME_TIME],
    ],
    [
      "answers a repetition with an error",
      async (key, signal, done) => {
        signal?.throwIfAborted();
        if (done.includes(key)) return ["Error: already done", { key }];
        done.push(key);
        return did(key);
      },
      [ABORTED, TWICE, AT_THE_SAME_TIME],
    ],
    [
      "answers a repetition otherwise",
      async (key, signal, done) => {
        signal?.throwIfAborted();
        if (!done.includes(key)) done.push(key);
        return [`did ${key}`, { key, receipt: crypto.randomUUID() }];
      },
      [TWICE, AT_THE_SAME_TIME],
    ],
  ])("detects a tool that %s", async (_, behave, rules) => {
    expect(await broken(subject({ behave }))).toEqual(expect.arrayContaining(rules));
  });

  it("accepts a repetition that says so", async () => {
    const behave: Behaviour = async (key, signal, done) => {
      signal?.throwIfAborted();
      if (done.includes(key)) return [`did ${key} before`, { key, duplicate: true }];
      done.push(key);
      return did(key);
    };
    expect(await broken(subject({ behave }))).toEqual([]);
  });

  it.each([NaN, Infinity, 0.5])("fails if effects returns %d", async (count) => {
    const names = await broken(subject({ effects: () => count }));
    expect(names).toEqual([BAD_ARGUMENTS, ABORTED_BEFORE, ABORTED, TWICE, AT_THE_SAME_TIME]);
  });

  it.each<[string, Partial<ToolUnderTest> & { behave?: Behaviour }]>([
    ["always the same", { effects: () => 7 }],
    ["the same work again and again", { validArguments: () => ({ key: "k" }) }],
    ["nothing done", { behave: async (key) => did(key) }],
  ])("fails if the effects counted are %s", async (_, otherwise) => {
    expect(await broken(subject(otherwise))).toEqual(expect.arrayContaining([ABORTED, TWICE, AT_THE_SAME_TIME]));
  });

  const SCHEMA_CHECK = "has a schema for OpenAI's strict mode, with a description for every argument";
  it.each<[string, object]>([
    ["lets a property be left out", { ...PLAIN, required: [] }],
    ["takes more than it names", { ...PLAIN, additionalProperties: true }],
    ["is a union at its root", { anyOf: [PLAIN] }],
    ["has no description", { ...PLAIN, properties: { key: { type: "string" } } }],
    [
      "uses a keyword that is not known",
      { ...PLAIN, properties: { key: { type: "string", description: "K", minLength: 1 } } },
    ],
    [
      "is loose further inside",
      {
        ...PLAIN,
        properties: {
          key: { description: "K", type: "array", items: { anyOf: [{ type: "object", properties: {} }] } },
        },
      },
    ],
    [
      "has too many values",
      { ...PLAIN, properties: { key: { description: "K", enum: Array.from({ length: 1001 }, (_, n) => `v${n}`) } } },
    ],
    [
      "is nested too deeply",
      Array.from({ length: 10 }).reduce<object>(
        (inner) => ({ ...PLAIN, properties: { key: { ...inner, description: "K" } } }),
        PLAIN,
      ),
    ],
  ])("detects a schema that %s", async (_, schema) => {
    expect(await broken(subject({ schema }))).toEqual([SCHEMA_CHECK]);
  });
});
