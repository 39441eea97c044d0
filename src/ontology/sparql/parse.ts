/** Parses SPARQL 1.1 into trees, converts them back, and refuses what a store doesn't support. */
import { createToken, LexerBuilder, traqulaIndentation } from "@traqula/core";
import { Generator } from "@traqula/generator-sparql-1-1";
import { sparql11ParserBuilder } from "@traqula/parser-sparql-1-1";
import { lex, MinimalSparqlParser, sparqlCodepointEscape } from "@traqula/rules-sparql-1-1";
import { BoundedCache } from "../../concurrency/bounded-cache.ts";
import { ValidationError } from "../../errors.ts";
import type { Bindings } from "../ontology-store.ts";
import * as ast from "./ast.ts";
import { bindValues } from "./bind.ts";
import { withJoinsOrdered } from "./join-order.ts";

/** Programs use the same few queries with different values, so their trees are cached. */
const KEPT = 200;
const MAX_KEPT_LENGTH = 20_000;

let parser: MinimalSparqlParser<ast.Query | ast.Update> | undefined;
let generator: Generator | undefined;
const kept = new BoundedCache<string, ast.Query | ast.Update>(KEPT);

/** Decimals that begin with a point (`.5`), which traqula's tokens lack. */
const pointFirst = (name: string, pattern: RegExp, kind: ReturnType<typeof createToken>) =>
  createToken({ name: `${name}PointFirst`, pattern, categories: [kind] });

function createParser(): MinimalSparqlParser<ast.Query | ast.Update> {
  const { decimal, decimalPositive, decimalNegative, doubleNegative } = lex.terminals;
  const lexer = LexerBuilder.create(lex.sparql11LexerBuilder).addAfter(
    doubleNegative,
    pointFirst("Decimal", /\.\d+/, decimal),
    pointFirst("DecimalPositive", /\+\.\d+/, decimalPositive),
    pointFirst("DecimalNegative", /-\.\d+/, decimalNegative),
  );
  const rules = sparql11ParserBuilder.build({
    tokenVocabulary: lexer.tokenVocabulary,
    queryPreProcessor: sparqlCodepointEscape,
  });
  return new MinimalSparqlParser(rules);
}

const unsupported = (message: string): ValidationError => new ValidationError(message, { code: "unsupported_sparql" });

function parse(sparql: string): ast.Query | ast.Update {
  const known = kept.get(sparql);
  if (known) return known;
  const fresh = namesNotIn(sparql);
  let tree: ast.Query | ast.Update;
  try {
    parser ??= createParser();
    tree = ast.mapNodes(parser.parse(sparql), (node) => relabel(node, fresh));
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw new ValidationError("The SPARQL does not parse. Check its syntax and its PREFIX lines.", {
      code: "invalid_sparql",
      cause,
    });
  }
  refuseOtherSources(tree);
  if (sparql.length <= MAX_KEPT_LENGTH) kept.set(sparql, tree);
  return tree;
}

/**
 * Runs recursive work on a tree.
 * @throws ValidationError (`query_too_large`) if the stack is too small for the tree
 */
export function withinStack<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    // The parser or the generator may have stopped halfway.
    parser = undefined;
    generator = undefined;
    throw new ValidationError(
      "The SPARQL is nested too deeply, or a text in it is too long. Use fewer groups, brackets and operators inside one another, " +
        "and give long texts as bindings.",
      { code: "query_too_large", cause },
    );
  }
}

/** Returns a function that makes names which do not occur in the text. */
function namesNotIn(sparql: string): (suffix?: string) => string {
  let prefix = "own";
  for (const [like] of sparql.matchAll(/ownx*/g)) if (like.length >= prefix.length) prefix = `${like}x`;
  let count = 0;
  return (suffix) => `${prefix}_${suffix ?? (count += 1)}`;
}

/**
 * Gives unnamed blank nodes names that the text does not contain, because the generator gives `[]`
 * and `_:g_0` the same label.
 */
const relabel = (node: ast.Node, fresh: (suffix: string) => string): unknown => {
  if (node.type === "pattern" && node.subType === "values") return node;
  if (node.type !== "term" || node.subType !== "blankNode") return undefined;
  const label = node["label"] as string;
  return label.startsWith("e_") ? undefined : { ...node, label: `e_${fresh(label)}` };
};

/** Refuses SERVICE, FROM and USING, with which a query could choose where it reads. */
function refuseOtherSources(tree: ast.Query | ast.Update): void {
  ast.walk(tree, (node) => {
    if (node.type === "pattern" && node.subType === "service") {
      throw unsupported("SERVICE is not supported: a query can only read this knowledge graph.");
    }
    if (node.type === "datasetClauses" && (node["clauses"] as unknown[]).length > 0) {
      throw unsupported("FROM and USING are not supported. Name the store to query; GRAPH reaches other stores.");
    }
  });
}

/**
 * Parses a query, binds its values and orders its joins.
 * @param insteadOfUpdate the advice in the error for an update
 * @throws ValidationError if it does not parse, is nested too deeply, is an update, uses SERVICE or
 *   FROM, or a binding is invalid
 */
export const parseQuery = (sparql: string, bindings: Bindings, insteadOfUpdate = "Use update() for it."): ast.Query =>
  withinStack(() => {
    const tree = parse(sparql);
    if (tree.type !== "query") throw unsupported(`This is an update, not a query. ${insteadOfUpdate}`);
    return withJoinsOrdered(bindValues(tree, bindings, namesNotIn(sparql)));
  });

/**
 * An update's operations with bound values, each with the prefixes in front of it.
 * @throws ValidationError as `parseQuery`
 */
export function parseUpdate(sparql: string, bindings: Bindings): { operation: ast.Operation; context: ast.Context }[] {
  const tree = parse(sparql);
  if (tree.type !== "update") throw unsupported("This is a query, not an update. Use query() for it.");
  const context: ast.Context = [];
  return bindValues(tree, bindings, namesNotIn(sparql)).updates.flatMap(({ operation, context: added }) => {
    context.push(...added);
    return operation ? [{ operation, context: [...context] }] : [];
  });
}

/** The text of a tree. Every term in it must have been checked: the generator checks nothing. */
export function toText(tree: ast.Query | ast.Update): string {
  return withinStack(() => {
    // With line breaks, the generator takes quadratic time.
    generator ??= new Generator({ [traqulaIndentation]: -1, indentInc: 0 });
    return generator.generate(tree);
  });
}
