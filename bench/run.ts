// Runs benchmarks: npm run bench [-- name … --seconds 3 --rounds 3 …]. See docs/benchmarks.md.
import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openBench, type Bench, type BenchOptions } from "./support/bench.ts";
import { figure } from "./support/measure.ts";
import { peerVersions } from "./support/peers.ts";

interface BenchModule {
  readonly about: string;
  run(bench: Bench): Promise<void>;
}

const SHORT = ["process", "engine", "http", "tool", "mcp", "start-up", "workers", "analysers", "console"];
const LONG = ["batch", "store", "cluster"];
const NAMES = [...SHORT, ...LONG];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "3" },
    rounds: { type: "string", default: "3" },
    clients: { type: "string", default: "1,16,64" },
    only: { type: "string" },
    items: { type: "string" },
    "flush-delay": { type: "string", default: "0" },
    folder: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const moduleOf = (name: string): Promise<BenchModule> => import(`./${name}.ts`) as Promise<BenchModule>;

const unknown = positionals.filter((name) => !NAMES.includes(name));
if (values.help || unknown.length > 0) {
  for (const name of unknown) console.error(`There is no benchmark "${name}".`);
  for (const name of NAMES) console.log(`${name.padEnd(10)} ${(await moduleOf(name)).about}`);
  process.exit(unknown.length > 0 ? 1 : 0);
}

const options: BenchOptions = {
  seconds: Number(values.seconds),
  rounds: Number(values.rounds),
  clients: values.clients.split(",").map(Number),
  flushDelay: Number(values["flush-delay"]),
  ...(values.only !== undefined && { only: values.only }),
  ...(values.items !== undefined && { items: Number(values.items) }),
  ...(values.folder !== undefined && { folder: values.folder }),
};

const delayed = options.flushDelay > 0 ? ` (including ${options.flushDelay} ms that are added)` : "";

const bench = openBench(options);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void bench.close().finally(() => process.exit(1)));
}
try {
  await introduce();
  for (const name of positionals.length > 0 ? positionals : SHORT) {
    const module = await moduleOf(name);
    console.log(`\n## ${name}: ${module.about}`);
    const before = conditions();
    await module.run(bench);
    const after = conditions();
    console.log(`\nA flush of 4 KB: ${before.flush} ms before, ${after.flush} ms after${delayed}.`);
    console.log(`Load of the machine: ${before.load} before, ${after.load} after.`);
  }
} finally {
  await bench.close();
}

/** What influences the figures and changes during a run: the disk and the load. */
function conditions(): { flush: string; load: string } {
  return { flush: figure(bench.flushMs()), load: loadavg()[0]!.toFixed(1) };
}

/** Prints what influences the figures and stays the same: versions, cores, options. */
async function introduce(): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as {
    version: string;
  };
  console.log(`abi-workflows ${version}, Node.js ${process.version}, SQLite ${process.versions.sqlite}`);
  console.log(
    `${availableParallelism()} cores; ${options.rounds} rounds of ${options.seconds} s, interleaved; medians`,
  );
  if (bench.shimMissing !== undefined) console.log(`Flushes are not counted or delayed: ${bench.shimMissing}.`);
  console.log(`Peers: ${peerVersions().join(", ")}`);
}
