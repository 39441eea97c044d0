import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const HANGING_MS = 600_000;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // They end what hangs. How long work takes is the machine's business, and it may be busy.
    testTimeout: HANGING_MS,
    hookTimeout: HANGING_MS,
    expect: { poll: { timeout: HANGING_MS } },
    // What processes that tests start have loaded is compiled once; it is kept for the next time.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/compile") },
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
