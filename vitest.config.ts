import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Most tests wait for processes, servers and disks: one more than the processors are is faster, vitest would take one fewer.
    maxWorkers: availableParallelism() + 1,
    // A test that writes to the console says something nobody reads: let it fail.
    onConsoleLog: (log) => {
      throw new Error(`a test wrote to the console: ${log}`);
    },
  },
});
