import { DynamicStructuredTool, tool } from "@langchain/core/tools";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { toolConformance, type ToolUnderTest } from "../../testing/index.ts";
import { feedback, startFeedback } from "../support/feedback.ts";

/** Names of the promises that a tool does not keep. */
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

type Behaviour = (args: { key?: unknown }, signal: AbortSignal | undefined) => Promise<[string, object]>;

/** A tool that keeps its promises, but for what is done otherwise. */
function subject({ schema = PLAIN, behave }: { schema?: object; behave?: Behaviour } = {}): ToolUnderTest & {
  done: string[];
} {
  const done: string[] = [];
  const well: Behaviour = async ({ key }) => {
    if (typeof key !== "string") return ["{}", { error: "key must be a string" }];
    if (!done.includes(key)) done.push(key);
    return [`did ${key}`, { key }];
  };
  let calls = 0;
  return {
    done,
    tool: new DynamicStructuredTool({
      name: "do_it",
      description: "Does it.",
      schema: z.any().meta(schema as Record<string, unknown>),
      responseFormat: "content_and_artifact",
      func: async (args: { key?: unknown }, _, config) => {
        if (behave) return behave(args, config?.signal);
        config?.signal?.throwIfAborted();
        return well(args, config?.signal);
      },
    }),
    validArguments: () => ({ key: `k${++calls}` }),
    invalidArguments: { key: 5 },
    effects: () => done.length,
  };
}

describe("the conformance suite for tools", () => {
  it("is passed by all tools of customer feedback", async () => {
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
        effects: () => 0,
      };
      expect(await broken({ tool, ...reading })).toEqual([]);
    }
  });

  it("is passed by a good tool that knows nothing of this package", async () => {
    expect(await broken(subject())).toEqual([]);
  });

  it("sees that an ordinary tool throws at bad arguments, has no artifact and repeats its effects", async () => {
    const done: string[] = [];
    const ordinary = tool(
      ({ key }: { key: string }) => {
        done.push(key);
        return "ok";
      },
      { name: "do_it", description: "Does it.", schema: z.object({ key: z.string().describe("Which one.") }) },
    );
    const names = await broken({ ...subject(), tool: ordinary, effects: () => done.length });
    expect(names).toEqual(
      expect.arrayContaining([
        "gives text for the model and an artifact for the program",
        "answers bad arguments with an error that the model can read, and does nothing",
        "does it once where the same call is made twice",
        "does it once where the same call is made twice at the same time",
      ]),
    );
  });

  it("sees a tool that does not heed an abort", async () => {
    const deaf = subject();
    const { func } = deaf.tool as DynamicStructuredTool;
    Object.assign(deaf.tool, { func: (args: unknown) => func(args, undefined, {}) });
    expect(await broken(deaf)).toEqual(["does nothing where the call was aborted before it began"]);
  });

  it("sees a tool that changes its arguments, and one that shows a stack", async () => {
    const behave: Behaviour = async (args) => {
      const { key } = args;
      if (typeof key !== "string") return [String(new Error("no").stack), { error: "no" }];
      args.key = "changed";
      return ["did it", { key }];
    };
    expect(await broken(subject({ behave }))).toEqual(
      expect.arrayContaining([
        "leaves the arguments as they were",
        "answers bad arguments with an error that the model can read, and does nothing",
      ]),
    );
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
  ])("sees a schema that %s", async (_, schema) => {
    expect(await broken(subject({ schema }))).toEqual([SCHEMA_CHECK]);
  });
});
