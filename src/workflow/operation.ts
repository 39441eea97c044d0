/**
 * What a workflow can be asked to do. One operation feeds every face (agent tools, HTTP, …), so that they cannot drift apart:
 * its schema validates and documents, its handler does the work.
 */
import type { z } from "zod";
import type { RunContext } from "../engine/engine.ts";

/** Options of every call. */
export interface CallOptions {
  /** Ends the call early; a durable run that it has started goes on. */
  signal?: AbortSignal;
}

interface OperationBase<Input extends z.ZodObject, Output extends z.ZodObject> {
  /** snake_case, unique within the workflow; the name of the tool. */
  readonly name: string;
  /** For models and people: one sentence that says what it does, more where it helps. */
  readonly description: string;
  readonly input: Input;
  /** What the handler returns. */
  readonly output: Output;
}

/** A plain call without side effects. */
export interface DirectOperation<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> extends OperationBase<Input, Output> {
  readonly kind: "direct";
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

/** Anything that a workflow offers. */
export type Operation = DirectOperation | DurableOperation;

// The lists of a workflow hold operations of many schemas; each is checked against its own here and widened once.

/** A plain call, for the list of a workflow's operations. */
export const direct = <Input extends z.ZodObject, Output extends z.ZodObject>(
  name: string,
  operation: Omit<DirectOperation<Input, Output>, "kind" | "name">,
): DirectOperation => ({ kind: "direct", name, ...operation }) as unknown as DirectOperation;

/** The process of a workflow, for the list of its operations. */
export const durable = <Input extends z.ZodObject, Output extends z.ZodObject>(
  name: string,
  operation: Omit<DurableOperation<Input, Output>, "kind" | "name">,
): DurableOperation => ({ kind: "durable", name, ...operation }) as unknown as DurableOperation;
