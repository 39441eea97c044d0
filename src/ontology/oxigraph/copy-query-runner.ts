import type { QueryAnswer, QueryRequest, QueryRunner } from "../query-runner.ts";
import { toText } from "../sparql/parse.ts";
import { prepareQuestion, toAnswer } from "../sparql/question.ts";
import { storeIri } from "../store-name.ts";
import type { Visible } from "../visible.ts";
import { readAnswer } from "./ask-index.ts";
import type { GraphChange } from "./graph-change.ts";
import { GraphCopy } from "./graph-copy.ts";
import type { CopySource, VisibleGraphs } from "./graph-copy-protocol.ts";
import { tooLarge } from "./graph-index.ts";
import { MAX_ROWS } from "./questions.ts";

/** What the runner needs from the store. */
export interface RunnerSource {
  /** The current names of all stores. */
  storeNames(): string[];
  /** The current content, from which a copy is read. */
  content(): CopySource["from"];
}

/**
 * Runs queries on copies of the embedded graph in worker threads: one copy with everything, and for
 * each `visible` a copy of only that data, so no query can find hidden data. A copy is made when it
 * is first needed. A full copy takes as much memory as the graph in the main thread.
 */
export class CopyQueryRunner implements QueryRunner {
  readonly #source: RunnerSource;
  readonly #copies = new Map<string, GraphCopy>();

  constructor(source: RunnerSource) {
    this.#source = source;
  }

  async run(request: QueryRequest): Promise<QueryAnswer> {
    const { store, visible, maximumRows = MAX_ROWS, maximumBytes, timeoutMs, signal } = request;
    const graph = storeIri(store);
    const question = prepareQuestion(request, maximumRows);
    const { givesQuads } = question;
    const graphs = this.#source
      .storeNames()
      .filter((name) => visible === undefined || Object.hasOwn(visible, name))
      .map(storeIri);
    const asked = { text: toText(question.query), graph, graphs, givesQuads, maximumBytes };
    const text = await this.#copyOf(visible).ask(asked, { timeoutMs, signal });
    const answer = toAnswer(readAnswer(text, givesQuads), question, maximumRows);
    if (answer.truncated && request.maximumRows === undefined) throw tooLarge();
    return answer;
  }

  follow(changes: readonly GraphChange[]): void {
    for (const copy of this.#copies.values()) copy.follow(changes);
  }

  async close(reason: unknown): Promise<void> {
    await Promise.all([...this.#copies.values()].map((copy) => copy.close(reason)));
  }

  #copyOf(visible: Visible | undefined): GraphCopy {
    const key = JSON.stringify(visible && Object.entries(visible).map(([store, part]) => [store, termsOf(part)]));
    const known = this.#copies.get(key);
    if (known) return known;
    const copy = new GraphCopy(() => ({ from: this.#source.content(), visible: visible && visibleGraphs(visible) }));
    this.#copies.set(key, copy);
    return copy;
  }
}

const termsOf = ({ properties, classes }: Visible[string]): string[][] =>
  [properties, classes].map((terms) => terms.map(({ value }) => `<${value}>`).toSorted());

const visibleGraphs = (visible: Visible): VisibleGraphs =>
  new Map(
    Object.entries(visible).map(([store, part]) => {
      const [properties, classes] = termsOf(part);
      return [storeIri(store), { properties: new Set(properties), classes: new Set(classes) }];
    }),
  );
