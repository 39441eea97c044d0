import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const HANGING_MS = 600_000;

const source = (path: string): string => join(import.meta.dirname, path);

export default defineConfig({
  // Examples import the package by its name; nothing has to be built for that.
  resolve: {
    alias: [
      { find: /^abi-workflows$/, replacement: source("src/index.ts") },
      { find: /^abi-workflows\/(tools|agents)$/, replacement: source("$1/index.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    // They end what hangs. How long work takes is the machine's business, and it may be busy.
    testTimeout: HANGING_MS,
    hookTimeout: HANGING_MS,
    expect: { poll: { timeout: HANGING_MS } },
    // What processes that tests start have loaded is compiled once; it is kept for the next time.
    env: { NODE_COMPILE_CACHE: source("node_modules/.cache/compile") },
    // Most of the time would go into loading the same modules for each file. So files must leave nothing behind.
    isolate: false,
    restoreMocks: true,
    unstubEnvs: true,
    // Most tests wait for processes, servers and disks: one more than the processors are is faster, vitest would take one fewer.
    maxWorkers: availableParallelism() + 1,
    // A test that writes to the console says something nobody reads: let it fail.
    onConsoleLog: (log) => {
      throw new Error(`a test wrote to the console: ${log}`);
    },
  },
});
