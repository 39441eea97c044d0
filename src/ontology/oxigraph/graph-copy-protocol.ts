/** The messages between a copy of the graph in a worker thread and its owner. */
import type { WireError } from "../../errors.ts";
import type { GraphChange } from "./graph-change.ts";
import type { AnswerOptions } from "./graph-index.ts";

/** Where the copy is read from, and how much of it is visible. */
export interface CopySource {
  /** The path of the SQLite file, or all triples as N-Triples in pieces, by the graph's IRI. */
  readonly from: string | ReadonlyMap<string, readonly string[]>;
  /**
   * For each graph, by its IRI, the properties and classes that the copy contains; default:
   * everything.
   */
  readonly visible?: VisibleGraphs | undefined;
}

/** The visible terms of a graph, as N-Triples. */
export interface VisibleTerms {
  readonly properties: ReadonlySet<string>;
  readonly classes: ReadonlySet<string>;
}

/** By the graph's IRI. */
export type VisibleGraphs = ReadonlyMap<string, VisibleTerms>;

export interface CopyQuestion extends AnswerOptions {
  readonly text: string;
  /** Longer answers are refused. */
  readonly maximumBytes?: number | undefined;
}

export type ToCopy =
  | { readonly kind: "change"; readonly changes: readonly GraphChange[] }
  | { readonly kind: "ask"; readonly question: CopyQuestion };

export type FromCopy =
  /** The graph has been read. */
  | { readonly kind: "ready" }
  | { readonly kind: "answered"; readonly text: string }
  /** `isLost`: the copy can no longer be used. */
  | { readonly kind: "failed"; readonly error: WireError; readonly isLost: boolean };
