import { z } from "zod";

/** What one question may cost. */
export interface QuestionLimits {
  /** Rows of an answer; default 50. An answer that has more says so. */
  maximumRows?: number;
  /** Milliseconds after which a question is stopped; default 10,000. */
  timeoutMs?: number;
}

export const DEFAULT_LIMITS = { maximumRows: 50, timeoutMs: 10_000 } as const;

/** What a query of an operator's may cost where they do not say otherwise. */
export const OPERATOR_LIMITS = { timeoutMs: 30_000, maximumRows: 10_000, maximumBytes: 100_000_000 } as const;

/** A query as an argument. @param longest characters */
export const queryText = (longest: number): z.ZodString =>
  z.string().min(1, "must not be empty").max(longest, `must have at most ${longest} characters`);

/** What every answer says of its end. */
export const Truncation = z.object({
  truncated: z.boolean().describe("Whether there are more rows than these."),
  note: z.string().optional().describe("If there are more: how to get them."),
});

export const truncationNote = (truncated: boolean, maximumRows: number): z.output<typeof Truncation> =>
  truncated
    ? { truncated, note: `Only the first ${maximumRows} rows are included. Ask a narrower question to see the others.` }
    : { truncated };
