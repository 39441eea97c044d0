/**
 * What a workflow can be asked to do. One operation feeds every face (agent tools, HTTP, MCP, command line, …), so that they cannot
 * drift apart: its schema validates and documents, its audience says where it may turn up, its handler does the work.
 */
import type { z } from "zod";
import type { RunContext } from "../engine/engine.ts";
import type { Json } from "../json.ts";
import type { ToolProgress } from "./progress.ts";

/**
 * Who an operation is for. Only what is for an `agent` becomes a tool, so a model can never approve, whatever a text tells it:
 * deciding is for a `person`; looking at runs, cancelling and asking the graph is for an `operator`.
 */
export type Audience = "agent" | "person" | "operator";

/** What a caller from outside must be allowed to do. */
export const SCOPES = ["feedback:read", "feedback:write", "approve", "admin"] as const;
/** One of the scopes that a token can have. */
export type Scope = (typeof SCOPES)[number];

/** A call as it may look, for documentation: what is sent, and what comes back. */
export interface OperationExample {
  readonly input: Readonly<Record<string, Json>>;
  readonly output?: Readonly<Record<string, Json>>;
}

/** Options of every call. */
export interface CallOptions {
  /** Ends the call early; a durable run that it has started goes on. */
  signal?: AbortSignal;
}

interface OperationBase<Input extends z.ZodObject, Output extends z.ZodType> {
  /** snake_case, unique within the workflow; the name of the tool. */
  readonly name: string;
  /** For models and people: one sentence that says what it does, more where it helps. */
  readonly description: string;
  readonly audience: Audience;
  readonly scope: Scope;
  readonly input: Input;
  /** What the handler returns. */
  readonly output: Output;
  readonly example?: OperationExample;
}

/** A plain call, without side effects unless it `writes`. */
export interface DirectOperation<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> extends OperationBase<Input, Output> {
  readonly kind: "direct";
  /** True where the call changes something. */
  readonly writes: boolean;
  /** Which part of the approval queue it is, where it is one; its input then has the `workflow_id` of the run. */
  readonly approval?: "show" | "approve" | "edit" | "reject";
  run(input: z.output<Input>, options: CallOptions): Promise<z.output<Output>> | z.output<Output>;
}

/** A durable run: once for each key, resumable, repeated where an error may pass. */
export interface DurableOperation<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> extends OperationBase<Input, Output> {
  readonly kind: "durable";
  /** The input field that identifies the run, permanently. It is read as an id (`identifier`), whatever else its schema asks for. */
  readonly key: keyof z.output<Input> & string;
  /** Fields from which a tool derives the key when the model has none: the same values, the same run. */
  readonly keyFrom?: readonly (keyof z.output<Input> & string)[];
  /** Further input fields that every result repeats, so that it can be told whose it is. */
  readonly echo?: readonly (keyof z.output<Input> & string)[];
  /** The process. Deterministic between its steps; everything that can fail or has effects stands in a step. */
  run(input: z.output<Input>, context: RunContext): Promise<z.output<Output>>;
}

/** Many items in, their results out in the order of the items: one for each, or what some of them together came to. */
export interface StreamOperation extends OperationBase<z.ZodObject, z.ZodType> {
  readonly kind: "stream";
  // `input` is an item, `output` what comes out.
  run(items: AsyncIterable<unknown>, options: CallOptions): AsyncIterable<object>;
}

/** Anything that a workflow offers. */
export type Operation = DirectOperation | DurableOperation;

/** Calls an operation with arguments from a face. Yields progress, returns the result. @throws what the caller should read as an error */
export type OperationCall = (args: unknown, options: CallOptions) => AsyncGenerator<ToolProgress, object>;

// The lists of a workflow hold operations of many schemas; each is checked against its own here and widened once.

type Definition<Kind extends Operation, Defaulted extends string> = Omit<Kind, "kind" | "name" | Defaulted> & {
  [Name in Defaulted & keyof Kind]?: Kind[Name];
};

/** A plain call, for the list of a workflow's operations. Default: for agents, and it changes nothing. */
export function direct<Input extends z.ZodObject, Output extends z.ZodObject>(
  name: string,
  operation: Definition<DirectOperation<Input, Output>, "audience" | "scope" | "writes">,
): DirectOperation {
  const { writes = false, audience = "agent", scope = writes ? "feedback:write" : "feedback:read" } = operation;
  return { kind: "direct", name, ...operation, writes, audience, scope } as unknown as DirectOperation;
}

/** The process of a workflow, for the list of its operations. Default: for agents. */
export function durable<Input extends z.ZodObject, Output extends z.ZodObject>(
  name: string,
  operation: Definition<DurableOperation<Input, Output>, "audience" | "scope">,
): DurableOperation {
  const { audience = "agent", scope = "feedback:write" } = operation;
  return { kind: "durable", name, ...operation, audience, scope } as unknown as DurableOperation;
}
