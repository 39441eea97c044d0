import type { Pattern, SelectQuery } from "./ast.ts";
import { variablesOf } from "./triples.ts";

/** The names of the variables that a SELECT returns. */
export const projected = (query: SelectQuery): string[] =>
  query.variables.flatMap((item) => {
    if (item.type === "wildcard") return inScope(query.where.patterns);
    return item.type === "term" ? [item.value] : [item.variable.value];
  });

function inScopeOf(pattern: Pattern): string[] {
  if (pattern.type === "query") return projected(pattern);
  switch (pattern.subType) {
    case "bgp":
      return pattern.triples.flatMap(variablesOf);
    case "bind":
      return [pattern.variable.value];
    case "values":
      return pattern.variables.map(({ value }) => value);
    case "graph":
    case "service":
      return [...variablesOf(pattern.name), ...inScope(pattern.patterns)];
    case "group":
    case "union":
    case "optional":
      return inScope(pattern.patterns);
    case "minus":
    case "filter":
      return [];
  }
}

/**
 * The names of the variables that a group can bind, in order of appearance (SPARQL 1.1 Query,
 * 18.2.1).
 */
export const inScope = (patterns: readonly Pattern[]): string[] => [...new Set(patterns.flatMap(inScopeOf))];
