import { z } from "zod";

/** The limits of one question. */
export interface QuestionLimits {
  /** How many rows an answer may have; default 50. If there are more, the answer says so. */
  maximumRows?: number;
  /** Milliseconds after which a question is stopped; default 10,000. */
  timeoutMs?: number;
}

export const DEFAULT_LIMITS = { maximumRows: 50, timeoutMs: 10_000 } as const;

/** The default limits of an operator's query. */
export const OPERATOR_LIMITS = { timeoutMs: 30_000, maximumRows: 10_000, maximumBytes: 100_000_000 } as const;

/**
 * The schema of a SPARQL query as an input.
 * @param longest in characters
 */
export const queryText = (longest: number): z.ZodString =>
  z.string().min(1, "must not be empty").max(longest, `must have at most ${longest} characters`);

/** What every answer says about left-out rows. */
export const Truncation = z.object({
  truncated: z.boolean().describe("Whether rows were left out."),
  note: z.string().optional().describe("If rows were left out: how to get them."),
});

export const truncationNote = (truncated: boolean, maximumRows: number): z.output<typeof Truncation> =>
  truncated
    ? { truncated, note: `Only the first ${maximumRows} rows are included. Ask a narrower question to see the others.` }
    : { truncated };
