import { limitOffset, type Query } from "./ast.ts";

/** The query with a limit of at most `most` rows. ASK and DESCRIBE stay as they are. */
export function limited(query: Query, most: number): Query {
  if (most === Infinity || (query.subType !== "select" && query.subType !== "construct")) return query;
  const { solutionModifiers } = query;
  const { limit = Infinity, offset } = solutionModifiers.limitOffset ?? {};
  return {
    ...query,
    solutionModifiers: { ...solutionModifiers, limitOffset: limitOffset(Math.min(limit, most), offset) },
  };
}
