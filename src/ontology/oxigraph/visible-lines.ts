import { rdf } from "../vocabulary.ts";
import type { GraphChange } from "./graph-change.ts";
import type { VisibleGraphs, VisibleTerms } from "./graph-copy-protocol.ts";

const TYPE = `<${rdf.type.value}>`;
const END = " .";

/** Whether a line of N-Triples is visible. Only its object can contain spaces. */
function isVisible(line: string, { properties, classes }: VisibleTerms): boolean {
  const first = line.indexOf(" ");
  const second = line.indexOf(" ", first + 1);
  const predicate = line.slice(first + 1, second);
  return properties.has(predicate) || (predicate === TYPE && classes.has(line.slice(second + 1, -END.length)));
}

function visibleLines(graph: string, lines: readonly string[], visible: VisibleGraphs): string[] {
  const part = visible.get(graph);
  return part ? lines.filter((line) => isVisible(line, part)) : [];
}

/** Removes the hidden lines from N-Triples. Returns all lines if there is no restriction. */
export const visibleText = (graph: string, text: string, visible: VisibleGraphs | undefined): string =>
  visible ? visibleLines(graph, text.split("\n"), visible).join("\n") : text;

/** Does the same for a change. */
export const visibleChange = (change: GraphChange, visible: VisibleGraphs | undefined): GraphChange =>
  visible
    ? {
        ...change,
        removed: visibleLines(change.graph, change.removed, visible),
        inserted: visibleLines(change.graph, change.inserted, visible),
      }
    : change;
