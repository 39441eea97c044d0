/** Checks of what callers pass to a workflow's methods and to lists. */
import { z } from "zod";
import { INVALID_START_TIME, isStartTime, type RunFilter, type WorkflowEngine } from "../engine/engine.ts";
import { ValidationError } from "../errors.ts";
import { tidyIdentifier } from "../tidy-identifier.ts";
import { RunOrderSchema, RunStatusSchema } from "./run-schemas.ts";
import { parse } from "./validation.ts";

const ListFilter = z.strictObject({
  status: RunStatusSchema.optional(),
  input: z.record(z.string(), z.string()).optional(),
  startedSince: z.date().optional(),
  startedBefore: z.date().optional(),
  order: RunOrderSchema.optional(),
  after: z.string().optional(),
  limit: z.int().min(1).optional(),
});

const Start = z.strictObject({ startAt: z.custom<Date>(isStartTime, INVALID_START_TIME).optional() });

/** @throws ValidationError */
export const parseFilter = (filter: unknown): Omit<RunFilter, "workflow"> =>
  parse(ListFilter, filter) as Omit<RunFilter, "workflow">;

/** @throws ValidationError */
export const parseStart = (options: unknown): { startAt?: Date | undefined } => parse(Start, options);

/**
 * Checks that `after` is the id of a run. Call it if a page is empty: with an unknown id, the empty
 * page would look like the end of the list.
 * @throws ValidationError (`bad_request`) that names `after`
 */
export async function checkAfter(engine: Pick<WorkflowEngine, "get">, after: string | undefined): Promise<void> {
  if (after === undefined || (await engine.get(after)) !== undefined) return;
  const message = "is not the id of a run: pass the previous page's next, or leave it out for the first page";
  throw new ValidationError(`after: ${message}`, { code: "bad_request", issues: [{ path: "after", message }] });
}

/**
 * Checks a text argument with this name.
 * @throws ValidationError
 */
export const parseText = (name: string, text: unknown): string =>
  parse(z.object({ [name]: z.string() }), { [name]: text })[name]!;

/**
 * An argument with this name that is an id, as `tidyIdentifier` makes it.
 * @throws ValidationError if it is not a text
 */
export const parseId = (name: string, id: unknown): string => tidyIdentifier(parseText(name, id));
