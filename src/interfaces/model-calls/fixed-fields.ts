/**
 * Input fields whose values the program sets: a model is not asked for them, and can't choose them.
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { invalidConfiguration, UnexpectedError, ValidationError } from "../../errors.ts";
import { isObject, type Json } from "../../json.ts";
import type { Operation } from "../../framework/operation.ts";
import { parse } from "../../framework/validation.ts";

/** Options of `as_tools`. */
export interface ToolOptions {
  /** Values of input fields, the same for every call: `{ customer_id: "C-1001" }`. */
  fixed?: Readonly<Record<string, Json>>;
  /**
   * Names of input fields whose values come with each call. A LangChain agent takes them from its
   * runtime context: `agent.invoke(…, { context: { customer_id: "C-1001" } })`. A call that lacks
   * a value fails and does nothing.
   */
  fromContext?: readonly string[];
}

const Options = z.strictObject({
  fixed: z.record(z.string(), z.unknown()).optional(),
  fromContext: z.array(z.string()).optional(),
});

/** The fields of one operation that its tool takes from the program. */
export interface FixedFields {
  readonly names: readonly string[];
  /**
   * A model's arguments with these fields added.
   * @param context the runtime context of the call
   * @throws ValidationError for an argument with a different value, UnexpectedError if the context
   *   lacks a field or has an invalid value for it
   */
  into(args: unknown, context: unknown): unknown;
}

const invalidOptions = (message: string): ValidationError =>
  invalidConfiguration(`The tools can't be made with these options: ${message}`);

/** Returns what `read` returns. @throws ValidationError (`invalid_configuration`) if it throws */
function usable<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw invalidOptions(`${(error as Error).message}.`);
  }
}

/**
 * The fixed fields of each operation, in the order of the operations. A field that an operation
 * doesn't have is left out.
 * @throws ValidationError (`invalid_configuration`) for a field that no operation has or that is in
 *   both options, a value that the field's schema refuses, or an unknown option
 */
export function fixedFieldsOf(operations: readonly Operation[], options: ToolOptions): FixedFields[] {
  const { fixed = {}, fromContext = [] } = usable(() => parse(Options, options));
  for (const name of [...Object.keys(fixed), ...fromContext]) {
    if (!operations.some((operation) => hasField(operation, name)))
      throw invalidOptions(`no tool has a field "${name}".`);
  }
  const twice = fromContext.find((name) => Object.hasOwn(fixed, name));
  if (twice !== undefined) throw invalidOptions(`"${twice}" is in fixed and in fromContext.`);

  return operations.map((operation) => {
    const ofContext = fromContext.filter((name) => hasField(operation, name));
    return fixedFields(operation, ownValues(operation, fixed), ofContext);
  });
}

const hasField = ({ input }: Operation, name: string): boolean => Object.hasOwn(input.shape, name);

function ownValues(operation: Operation, fixed: Record<string, unknown>): Record<string, unknown> {
  const own = Object.entries(fixed).filter(([name]) => hasField(operation, name));
  return Object.fromEntries(
    own.map(([name, value]) => {
      // The program may have forgotten to set it. An optional field's schema would accept that.
      if (value === undefined) throw invalidOptions(`"${name}" has no value.`);
      return [name, usable(() => parseField(operation, name, value))];
    }),
  );
}

/** The value as the operation's schema parses it. */
const parseField = ({ input }: Operation, name: string, value: unknown): unknown =>
  parse(z.object({ [name]: (input.shape as Record<string, z.ZodType>)[name]! }), { [name]: value })[name];

function fixedFields(
  operation: Operation,
  values: Readonly<Record<string, unknown>>,
  fromContext: readonly string[],
): FixedFields {
  return {
    names: [...Object.keys(values), ...fromContext],
    into: (args, context) => {
      const all = { ...values };
      for (const name of fromContext) all[name] = contextValue(operation, name, context);
      if (!isObject(args)) return args;
      for (const [name, value] of Object.entries(all)) refuseOther(operation, name, args[name], value);
      return { ...args, ...all };
    },
  };
}

function contextValue(operation: Operation, name: string, context: unknown): unknown {
  const value = isObject(context) && Object.hasOwn(context, name) ? context[name] : undefined;
  try {
    if (value === undefined) throw new Error(`Invoke the agent with { context: { ${name}: … } }.`);
    return parseField(operation, name, value);
  } catch (cause) {
    throw new UnexpectedError(cause, {
      message: `${name} is set by the program around you, which has not set it correctly. Nothing was done. Tell the user that this does not work.`,
      code: "context_missing",
    });
  }
}

/**
 * Refuses a model's argument with a value other than the fixed one. A model that names another
 * customer means that customer, so using the fixed value instead would be wrong, too.
 */
function refuseOther(operation: Operation, name: string, given: unknown, fixed: unknown): void {
  if (given === undefined || given === null) return;
  const { input } = operation;
  const read = (input.shape as Record<string, z.ZodType>)[name]!.safeParse(given);
  if (read.success && isDeepStrictEqual(read.data, fixed)) return;
  const message = "is set by the program and can't be chosen; leave it out";
  throw new ValidationError(`${name}: ${message}`, { issues: [{ path: name, message }] });
}
