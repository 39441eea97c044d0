/**
 * A copy of the graph in a worker thread. It answers queries until the thread is terminated, which
 * also ends the current query.
 */
import { parentPort, workerData } from "node:worker_threads";
import { toWireError, ValidationError } from "../../errors.ts";
import { storeIri } from "../store-name.ts";
import { applyChanges, type GraphChange } from "./graph-change.ts";
import type { CopyQuestion, CopySource, FromCopy, ToCopy } from "./graph-copy-protocol.ts";
import { GraphIndex } from "./graph-index.ts";
import { QuadFile } from "./quad-file.ts";
import { callError } from "./store-errors.ts";
import { visibleChange, visibleText } from "./visible-lines.ts";

const { from, visible } = workerData as CopySource;
const index = new GraphIndex();

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
const say = (message: FromCopy): void => parentPort?.postMessage(message);

/** @param isLost whether the copy is useless if `work` fails */
function attempt(work: () => void, isLost = false): void {
  try {
    work();
  } catch (error) {
    const known = callError(typeof from === "string" ? from : "of the graph", error);
    say({ kind: "failed", error: toWireError(known), isLost: isLost || index.broken });
  }
}

function load(): void {
  if (typeof from !== "string") {
    for (const [graph, pieces] of from) for (const text of pieces) index.add(graph, visibleText(graph, text, visible));
    return;
  }
  const file = QuadFile.read(from);
  try {
    for (const name of file.storeNames()) {
      const graph = storeIri(name);
      if (visible && !visible.has(graph)) continue;
      for (const text of file.text(name)) index.add(graph, visibleText(graph, text, visible));
    }
  } finally {
    file.close();
  }
}

const follow = (changes: readonly GraphChange[]): void =>
  applyChanges(
    index,
    changes.map((change) => visibleChange(change, visible)),
  );

function ask({ text, maximumBytes = Infinity, ...options }: CopyQuestion): void {
  const answer = index.answer(text, options);
  if (Buffer.byteLength(answer) <= maximumBytes) return say({ kind: "answered", text: answer });
  throw new ValidationError(
    `The answer has more than ${maximumBytes / 1_000_000} MB. Ask for fewer rows, or for less in each row.`,
    { code: "answer_too_long" },
  );
}

parentPort?.on("message", (message: ToCopy) => {
  if (message.kind === "change") attempt(() => follow(message.changes), true);
  else attempt(() => ask(message.question));
});
attempt(() => {
  load();
  say({ kind: "ready" });
}, true);
