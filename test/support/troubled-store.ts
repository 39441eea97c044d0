import type { Batch, RunStore, RunWrite } from "../../src/engine/run-store.ts";

/** The store with some of its methods in place of its own. */
export function troubledStore(store: RunStore, methods: Partial<RunStore>): RunStore {
  return new Proxy(store, {
    get: (target, property) => {
      if (Object.hasOwn(methods, property)) return methods[property as keyof RunStore];
      const value: unknown = Reflect.get(target, property, target);
      // Bound to the store itself, whose private fields a proxy has not.
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** What a batch writes of runs at work. */
export const writesOf = ({ runs }: Batch): RunWrite[] => runs.flatMap(({ writes }) => [...writes]);

export const hasKind = (batch: Batch, kind: RunWrite["kind"]): boolean =>
  writesOf(batch).some((write) => write.kind === kind);
