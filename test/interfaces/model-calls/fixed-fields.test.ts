import { convertToOpenAITool } from "@langchain/core/utils/function_calling";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { DurableEngine } from "../../../src/engine/durable-engine.ts";
import type { Json } from "../../../src/json.ts";
import type { WorkflowConfiguration } from "../../../src/framework/configuration.ts";
import type { ToolOptions } from "../../../src/interfaces/model-calls/fixed-fields.ts";
import { direct, durable } from "../../../src/framework/operation.ts";
import { Workflow, type SubmissionOrigin } from "../../../src/framework/workflow.ts";
import { assertStrictSchema } from "../../../testing/conformance/strict-schema.ts";

const owner = z.string().trim().min(1).max(10).describe("Whose it is.");

/** Takes notes for their owners, and remembers how each arrived. */
class Notes extends Workflow {
  override readonly name = "notes";
  override readonly operations = [
    durable("take_note", {
      description: "Take a note.",
      input: z.strictObject({
        id: z.string().min(1).describe("The note's id."),
        owner,
        text: z.string().describe("The note."),
        urgent: z.boolean().default(false).describe("Whether it is urgent."),
      }),
      output: z.object({ input: z.json() }),
      key: "id",
      keyFrom: ["owner", "text"],
      echo: ["owner"],
      run: async (input) => ({ input: input as Json }),
    }),
    direct("count_notes", {
      description: "Count notes.",
      input: z.strictObject({ owner }),
      output: z.object({ owner: z.string() }),
      run: ({ owner }) => ({ owner }),
    }),
    direct("tell_time", {
      description: "Tell the time.",
      input: z.strictObject({ zone: z.string().describe("The time zone.") }),
      output: z.object({ zone: z.string() }),
      run: ({ zone }) => ({ zone }),
    }),
  ];
  protected override submissionExtras(_key: string, origin: SubmissionOrigin): Record<string, Json> {
    return { origin: { ...origin, fixed: [...origin.fixed] } };
  }
}

function openNotes(configuration: Partial<WorkflowConfiguration> = {}): Notes {
  const engine = new DurableEngine({ path: ":memory:" });
  onTestFinished(() => engine.close());
  return new Notes({ engine, ...configuration });
}

async function callTool(
  workflow: Notes,
  options: ToolOptions,
  args: object,
  { name = "take_note", context }: { name?: string; context?: unknown } = {},
): Promise<Record<string, unknown>> {
  const tool = workflow.as_tools(options).find((tool) => tool.name === name)!;
  return JSON.parse((await tool.invoke(args as never, { context } as never)) as string) as Record<string, unknown>;
}

const propertiesOf = (workflow: Notes, options: ToolOptions): string[][] =>
  workflow.as_tools(options).map((tool) => {
    const { parameters } = convertToOpenAITool(tool).function;
    assertStrictSchema(parameters);
    return Object.keys((parameters as { properties: object }).properties);
  });

const note = { id: "N-1", text: "Buy milk." };

describe.each<[string, ToolOptions, unknown]>([
  ["fixed", { fixed: { owner: " ada " } }, undefined],
  ["from the context of the call", { fromContext: ["owner"] }, { owner: " ada ", other: 1 }],
])("a field that is %s", (_, options, context) => {
  it("is in no tool's schema, while other fields and tools stay unchanged", () => {
    const workflow = openNotes();
    expect(propertiesOf(workflow, {})).toEqual([["id", "owner", "text", "urgent"], ["owner"], ["zone"]]);
    expect(propertiesOf(workflow, options)).toEqual([["id", "text", "urgent"], [], ["zone"]]);
  });

  it("reaches the operation, parsed by its schema, in runs and direct calls", async () => {
    const workflow = openNotes();
    expect(await callTool(workflow, options, note, { context })).toMatchObject({
      success: true,
      owner: "ada",
      input: { ...note, owner: "ada", urgent: false },
    });
    expect(await callTool(workflow, options, {}, { name: "count_notes", context })).toEqual({ owner: "ada" });
    expect(await callTool(workflow, options, { zone: "UTC" }, { name: "tell_time", context })).toEqual({ zone: "UTC" });
  });

  it.each(["eve", "ada2", ["ada"], { owner: "ada" }, 7])(
    "can't be chosen: the argument %j is refused, and nothing is done",
    async (argument) => {
      const workflow = openNotes();
      expect(await callTool(workflow, options, { ...note, owner: argument }, { context })).toMatchObject({
        success: false,
        error_type: "validation_error",
        error: expect.stringContaining("owner: is set by the program"),
      });
      expect(await workflow.findWorkflow("N-1")).toBeUndefined();
    },
  );

  it.each(["ada", "ada ", null, "", "null", "<owner>"])(
    "may be repeated or left empty: the argument %j is accepted",
    async (argument) => {
      const result = await callTool(openNotes(), options, { ...note, owner: argument }, { context });
      expect(result).toMatchObject({ success: true, owner: "ada" });
    },
  );

  it("hides from the model what others have submitted under the same key", async () => {
    const workflow = openNotes();
    await workflow.run({ id: "N-1", owner: "eve", text: "Hers." });
    const result = await callTool(workflow, options, note, { context });
    expect(result).toEqual({
      success: false,
      id: "N-1",
      owner: "ada",
      steps_completed: [],
      error: "This id can't be used. Leave it out.",
      error_code: "conflict",
      error_type: "conflict",
      retriable: false,
    });
    const { id: _, ...rest } = note;
    const bound = { ...options, fixed: { ...options.fixed, id: "N-1" } };
    const own = await callTool(workflow, bound, rest, { context });
    expect(own["error"]).toBe("This was submitted already, with different content. Nothing was done.");
    expect(await callTool(workflow, {}, { ...note, owner: "ada" })).toMatchObject({
      error: expect.stringContaining('"N-1" was submitted before'),
    });
  });

  it("is part of the key that is derived from the content", async () => {
    const workflow = openNotes();
    const { text } = note;
    const mine = await callTool(workflow, options, { id: null, text }, { context });
    expect(await callTool(workflow, {}, { id: null, text, owner: "ada" })).toMatchObject({
      id: mine["id"],
      duplicate: true,
    });
    expect(await callTool(workflow, { fixed: { owner: "eve" } }, { id: null, text })).not.toMatchObject({
      id: mine["id"],
    });
  });

  it("is known to the workflow when it decides what to store with a submission", async () => {
    const workflow = openNotes();
    await callTool(workflow, options, note, { context });
    await callTool(workflow, {}, { ...note, id: "N-2", owner: "ada" });
    await workflow.run({ ...note, id: "N-3", owner: "ada" });
    const kept = await Promise.all(["N-1", "N-2", "N-3"].map(async (id) => (await workflow.findWorkflow(id))?.result));
    expect(kept.map((result) => (result?.["input"] as { origin: Json } | undefined)?.origin)).toEqual([
      { via: "tool", fixed: ["owner"] },
      { via: "tool", fixed: [] },
      { via: "code", fixed: [] },
    ]);
  });
});

it("a value that the program sets is taken literally, even if it means nothing when a model sends it", async () => {
  const result = await callTool(openNotes(), { fixed: { owner: "none" } }, note);
  expect(result).toMatchObject({ success: true, owner: "none" });
});

it("fields of any kind can be fixed, including optional ones and the key", async () => {
  const options = { fixed: { id: "N-9", urgent: true } };
  const workflow = openNotes();
  expect(propertiesOf(workflow, options)[0]).toEqual(["owner", "text"]);
  expect(await callTool(workflow, options, { owner: "ada", text: "x" })).toMatchObject({
    id: "N-9",
    input: { urgent: true },
  });
});

it.each<[unknown, RegExp]>([
  [{ fixed: { ownr: "ada" } }, /no tool has a field "ownr"/],
  [{ fixed: { constructor: "ada" } }, /no tool has a field "constructor"/],
  [{ fromContext: ["toString"] }, /no tool has a field "toString"/],
  [{ fixed: { owner: "" } }, /owner: /],
  [{ fixed: { owner: "far too long for it" } }, /owner: /],
  [{ fixed: { owner: undefined } }, /"owner" has no value/],
  [{ fixed: { urgent: undefined } }, /"urgent" has no value/],
  [{ fixed: { owner: null } }, /owner: /],
  [{ fixed: { owner: "ada" }, fromContext: ["owner"] }, /in fixed and in fromContext/],
  [{ fixd: { owner: "ada" } }, /fixd/],
  [{ owner: "ada" }, /owner/],
  [{ fixed: "ada" }, /fixed/],
  [{ fromContext: "owner" }, /fromContext/],
])("tools can't be created with %j", (options, message) => {
  const open = () => openNotes().as_tools(options as ToolOptions);
  expect(open).toThrow(message);
  expect(open).toThrow(expect.objectContaining({ code: "invalid_configuration" }));
});

it.each([
  undefined,
  null,
  {},
  { owner: undefined },
  { owner: "" },
  { owner: 5 },
  "ada",
  Object.create({ owner: "ada" }),
])(
  "a call whose context is %j does nothing: the model learns that it is not at fault, and the log says why",
  async (context) => {
    const lines: string[] = [];
    const logger = pino({ level: "error" }, { write: (line: string) => void lines.push(line) });
    const workflow = openNotes({ logger });
    const result = await callTool(workflow, { fromContext: ["owner"] }, { ...note, owner: "eve" }, { context });
    expect(result).toMatchObject({ success: false, error_code: "context_missing", retriable: false });
    expect(await workflow.findWorkflow("N-1")).toBeUndefined();
    expect(lines).toHaveLength(1);
  },
);
