import { withMethods } from "../../testing/crash/with-methods.ts";
import type { Batch, RunStore, RunWrite } from "../../src/engine/run-store.ts";

export const troubledStore = (store: RunStore, methods: Partial<RunStore>): RunStore => withMethods(store, methods);

/** All writes of a batch to its runs. */
export const writesOf = ({ runs }: Batch): RunWrite[] => runs.flatMap(({ writes }) => [...writes]);

export const hasKind = (batch: Batch, kind: RunWrite["kind"]): boolean =>
  writesOf(batch).some((write) => write.kind === kind);
