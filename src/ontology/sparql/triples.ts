import * as ast from "./ast.ts";

/** The names of the variables in a triple, nested or not. */
export function variablesOf(value: unknown): string[] {
  if (!ast.isNode(value)) return [];
  if (value.type === "term") return value.subType === "variable" ? [value["value"] as string] : [];
  const { subject, predicate, object, triples } = value as Partial<ast.Triple> & { triples?: unknown[] };
  return [subject, predicate, object, ...(triples ?? [])].flatMap(variablesOf);
}

/** Expands `[ … ]` and `( … )` to plain triples. */
export function flatten(items: ast.Bgp["triples"]): ast.Triple[] {
  return items.flatMap((item): ast.Triple[] => {
    if (item.type === "tripleCollection") return flatten(item.triples);
    const { subject, object } = item;
    const nested = [subject, object].flatMap((end) => (end.type === "tripleCollection" ? flatten(end.triples) : []));
    return [...nested, { ...item, subject: identifier(subject), object: identifier(object) }];
  });
}

const identifier = (end: ast.Triple["subject"]): ast.Term => (end.type === "tripleCollection" ? end.identifier : end);
