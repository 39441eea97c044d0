/**
 * Schemas of what interfaces return about runs. They document what `result.ts` and
 * `run-operations.ts` build.
 */
import { z } from "zod";
import { RUN_ORDERS, RUN_STATUSES, type RunEvent, type StepAttempt } from "../engine/engine.ts";

export const RunStatusSchema = z.enum(RUN_STATUSES);
export const RunOrderSchema = z.enum(RUN_ORDERS).describe("Which runs come first.");

/** A time as an argument, ISO 8601. */
export const dateTime = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const time = z.iso.datetime().describe("ISO 8601, UTC.");

const WireErrorFields = {
  error: z.string().describe("What went wrong, for people."),
  error_code: z.string().describe("A stable code for what went wrong, such as `customer_not_found`, for programs."),
  error_type: z.enum(["validation_error", "conflict", "io_error", "unexpected_error"]),
  retriable: z.boolean().describe("Whether the same request may succeed later."),
};

const { error, error_code, error_type, retriable } = WireErrorFields;
const OptionalWireError = {
  error: error.optional(),
  error_code: error_code.optional(),
  error_type: error_type.optional(),
  retriable: retriable.optional(),
};

/** See `RunResult`. */
export const RunResultSchema = z.looseObject({
  success: z.boolean(),
  status: z.enum(["waiting_for_approval", "processing"]).optional().describe("Only present if the run has not ended."),
  steps_completed: z.array(z.string()),
  duplicate: z.literal(true).optional().describe("An earlier submission did the work, or is doing it."),
  workflow_id: z.string().optional(),
  retry_until: time.optional(),
  ...OptionalWireError,
});

/** See `WorkflowStatus`. */
export const WorkflowStatusSchema = z.object({
  workflow_id: z.string(),
  workflow: z.string().optional().describe("Name of the workflow."),
  key: z.string().optional().describe("What permanently identifies the run, such as the feedback's id."),
  status: RunStatusSchema,
  current_step: z.string().optional(),
  steps_completed: z.array(z.string()).optional(),
  start_time: time.optional(),
  end_time: time.optional(),
  result: RunResultSchema.optional(),
  failing: z
    .object({
      step: z.string(),
      attempts: z.int().min(1),
      since: time,
      next_try: time.optional(),
      until: time.optional(),
      ...WireErrorFields,
    })
    .optional()
    .describe("Only present while a step keeps failing and is being retried."),
  ...OptionalWireError,
});

/** See `StepHistory`. */
export const StepHistorySchema = z.object({
  step: z.string(),
  status: z.enum(["running", "completed", "failed", "died"] satisfies StepAttempt["status"][]),
  start_time: time,
  end_time: time.optional(),
  ...OptionalWireError,
});

/** See `RunEvent`. */
export const RunEventSchema = z.object({
  id: z.int().min(0).describe("Higher with each event of the run, with gaps."),
  type: z.enum([
    "accepted",
    "step_started",
    "step_completed",
    "step_failed",
    "waiting_for_approval",
    "decided",
    "resumed",
    "completed",
    "failed",
    "cancelled",
  ] satisfies RunEvent["type"][]),
  time,
  step: z.string().optional(),
  ...OptionalWireError,
});
