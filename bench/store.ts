// Opening a large knowledge graph: the cost of the first look-up and of the first query in a new
// process.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataFactory } from "n3";
import { openApplication, OxigraphOntologyStore, readSettings, type Row } from "../src/index.ts";
import { feedback, writeCustomers } from "./support/feedback.ts";
import type { Bench } from "./support/bench.ts";
import { figure, processorMs, table } from "./support/measure.ts";

export const about = "1,000 and 30,000 pieces of feedback (or --items 100000): open, look up, first SPARQL query";

const SIZES = [1000, 30_000];
/** Pieces of feedback that the workflow itself stores; the others are copies of these. */
const ORIGINALS = 20;
const AT_A_TIME = 500;
const STORE = "feedback";

interface Opened {
  open: number;
  openProcessor: number;
  lookUp: number;
  query: number;
  queryProcessor: number;
  mb: number;
}

export async function run(bench: Bench): Promise<void> {
  const folder = mkdtempSync(join(bench.folder, "store-"));
  const originals = await storeOriginals(folder);
  const rows: string[][] = [];
  const { items } = bench.options;
  for (const size of items === undefined ? SIZES : [items]) {
    const path = join(folder, `${size}.sqlite`);
    const quads = await grow(bench, path, originals, size);
    const { open, openProcessor, lookUp, query, queryProcessor, mb } = await openInProcess(
      path,
      copy(originals, 0)[0]!.subject.value,
    );
    rows.push([
      size.toLocaleString("en"),
      quads.toLocaleString("en"),
      String(Math.round(statSync(path).size / 1e6)),
      `${figure(open)} (${figure(openProcessor)})`,
      figure(lookUp),
      `${figure(query)} (${figure(queryProcessor)})`,
      String(Math.round(mb)),
    ]);
  }
  bench.progress("");
  const heads = [
    "feedback",
    "quads",
    "MB on disk",
    "open ms (processor)",
    "look-up ms",
    "first query ms (processor)",
    "resident MB",
  ];
  console.log(`\n${table(heads, rows)}`);
}

type Quads = Awaited<ReturnType<OxigraphOntologyStore["getGraph"]>>;

/** Everything that is stored when the workflow processes a few pieces of feedback. */
async function storeOriginals(folder: string): Promise<Quads> {
  const dataDirectory = join(folder, "originals");
  const settings = readSettings({ dataDirectory, customerSource: writeCustomers(folder), responseCap: 1_000_000 }, {});
  const application = await openApplication(settings);
  const { workflow, ontologyStore } = application;
  for (let n = 0; n < ORIGINALS; n++) {
    await workflow.run({ ...feedback(n), feedback_id: `F-${n}-` });
  }
  const graphs = await Promise.all((await ontologyStore.listStores()).map((store) => ontologyStore.getGraph(store)));
  await application.close();
  return graphs.flat();
}

/**
 * Fills a new store with copies of the originals that have other ids; returns the number of quads.
 */
async function grow(bench: Bench, path: string, originals: Quads, size: number): Promise<number> {
  const store = await OxigraphOntologyStore.open({ path });
  const copies = Math.ceil(size / ORIGINALS);
  for (let at = 0; at < copies; at += AT_A_TIME / ORIGINALS) {
    bench.progress(`${at * ORIGINALS} of ${size} pieces of feedback stored`);
    const numbers = Array.from({ length: Math.min(AT_A_TIME / ORIGINALS, copies - at) }, (_, n) => at + n);
    await store.insert(
      STORE,
      numbers.flatMap((n) => copy(originals, n)),
    );
  }
  const rows = (await store.query(STORE, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")) as Row[];
  await store.close();
  return Number(rows[0]!["n"]!.value);
}

function copy(quads: Quads, n: number): Quads {
  const rename = (text: string): string =>
    text
      .replaceAll(/F-\d+-/g, (id) => `${id}${n}`)
      .replaceAll(/[\da-f]{8}(?=-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-)/g, (start) =>
        ((Number.parseInt(start, 16) + n * 7919) % 2 ** 32).toString(16).padStart(8, "0"),
      );
  const renamed = <Term extends Quads[number]["object"] | Quads[number]["subject"]>(term: Term): Term => {
    if (term.termType === "NamedNode") return DataFactory.namedNode(rename(term.value)) as unknown as Term;
    if (term.termType !== "Literal") return term;
    return DataFactory.literal(rename(term.value), term.language || term.datatype) as unknown as Term;
  };
  return quads.map(({ subject, predicate, object }) =>
    DataFactory.quad(renamed(subject) as never, predicate as never, renamed(object) as never),
  );
}

async function openInProcess(path: string, subject: string): Promise<Opened> {
  const child = fork(import.meta.filename, ["open", path, subject], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [opened] = (await once(child, "message")) as [Opened];
  return opened;
}

async function open(path: string, subject: string): Promise<Opened> {
  const timed = async <Result>(work: () => Promise<Result>) => {
    const [begin, before] = [performance.now(), processorMs()];
    const result = await work();
    return { result, ms: performance.now() - begin, processor: processorMs() - before };
  };
  const opening = await timed(() => OxigraphOntologyStore.open({ path }));
  const store = opening.result;
  const lookUp = await timed(() => store.match(STORE, { subject: DataFactory.namedNode(subject) }));
  const query = await timed(() =>
    store.query(STORE, "SELECT ?type (COUNT(?s) AS ?n) { ?s a ?type } GROUP BY ?type ORDER BY ?type"),
  );
  await store.close();
  return {
    open: opening.ms,
    openProcessor: opening.processor,
    lookUp: lookUp.ms,
    query: query.ms,
    queryProcessor: query.processor,
    mb: process.memoryUsage.rss() / 1e6,
  };
}

if (process.argv[2] === "open") process.send!(await open(process.argv[3]!, process.argv[4]!));
