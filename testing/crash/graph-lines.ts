import type { Quad, Term } from "@rdfjs/types";

const DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime";

/**
 * Returns a graph as sorted lines, one for each triple, so that two runs of the same work can be
 * compared. Times (`xsd:dateTime`) become `(time)`, and values for which `isOfThisRun` is true
 * become `(run)`. Equal lines are kept, so a time that was stored twice gives two lines.
 * @param isOfThisRun whether an IRI or literal is specific to this run, such as one made from a run
 *   id
 */
export function graphLines(quads: readonly Quad[], isOfThisRun: (value: string) => boolean = () => false): string[] {
  const text = (term: Term): string => {
    if (term.termType === "Literal" && term.datatype.value === DATE_TIME) return "(time)";
    if (isOfThisRun(term.value)) return "(run)";
    return term.termType === "Literal"
      ? JSON.stringify([term.value, term.datatype.value, term.language])
      : `<${term.value}>`;
  };
  return quads.map(({ subject, predicate, object }) => [subject, predicate, object].map(text).join(" ")).sort();
}

/**
 * Returns each line that one list has more often than the other; none if both lists have the same
 * lines equally often.
 */
export function differences(some: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of some) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of others) counts.set(line, (counts.get(line) ?? 0) - 1);
  return [...counts].filter(([, count]) => count !== 0).map(([line]) => line);
}
