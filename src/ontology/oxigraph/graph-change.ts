import type { GraphIndex } from "./graph-index.ts";

/** The changes to one graph, as N-Triples lines. */
export interface GraphChange {
  readonly graph: string;
  /** Whether the graph is emptied before `inserted` is added. */
  readonly isCleared?: boolean;
  readonly removed: readonly string[];
  readonly inserted: readonly string[];
}

/** Applies changes to an index, with at most two operations for each graph. */
export function applyChanges(index: GraphIndex, changes: readonly GraphChange[]): void {
  for (const [graph, { isCleared, triples }] of net(changes)) {
    const lines = (isThere: boolean): string =>
      [...triples].flatMap(([line, is]) => (is === isThere ? [line] : [])).join("\n");
    const [removed, inserted] = [lines(false), lines(true)];
    if (isCleared) index.clear(graph);
    if (removed !== "" && !isCleared) index.remove(graph, removed);
    if (inserted !== "") index.add(graph, inserted);
  }
}

interface Net {
  isCleared: boolean;
  /** Maps each line to whether it is present in the end. */
  readonly triples: Map<string, boolean>;
}

/** The net effect of changes, graph by graph. */
function net(changes: readonly GraphChange[]): Map<string, Net> {
  const graphs = new Map<string, Net>();
  for (const { graph, isCleared, removed, inserted } of changes) {
    const known: Net = graphs.get(graph) ?? { isCleared: false, triples: new Map() };
    graphs.set(graph, known);
    if (isCleared) {
      known.isCleared = true;
      known.triples.clear();
    }
    for (const line of removed) known.triples.set(line, false);
    for (const line of inserted) known.triples.set(line, true);
  }
  return graphs;
}
