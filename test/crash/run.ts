// Kills customer feedback with -9, over and over, and counts on the receiving side what has arrived.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { serverUrl } from "../support/postgres.ts";
import { canRunRestate } from "../support/restate.ts";
import { crashRun } from "./crash-run.ts";
import { PLACES, type PlaceName } from "./place.ts";
import { trafficRun } from "./traffic-run.ts";

const all = Object.keys(PLACES) as PlaceName[];
const USAGE = `Kills customer feedback with -9, over and over, and counts on the receiving side what became of it.

npm run test:crash                     50 kills over 200 pieces of feedback, on SQLite, PostgreSQL and Restate
npm run test:crash -- --long           300 kills over 2000
npm run test:crash -- --on <place>     only there: ${all.join(", ")}
npm run test:crash -- --seed 7         other points and moments
npm run test:crash -- --traffic        instead: the service under mixed traffic for 20 seconds, with --long for five minutes
`;

/** @throws Error for unknown options */
function readOptions() {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean", short: "h" },
      long: { type: "boolean" },
      seed: { type: "string", default: "1" },
      on: { type: "string" },
      traffic: { type: "boolean" },
    },
  });
  // The cluster takes long, so it has to be named.
  const chosen = all.filter((place) => (values.on === undefined ? place !== "restate-cluster" : place === values.on));
  if (chosen.length === 0) throw new Error(`--on must be one of ${all.join(", ")}.`);
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new Error("--seed must be a whole number.");
  return { ...values, chosen, seed };
}

function optionsOrUsage(): ReturnType<typeof readOptions> {
  try {
    const options = readOptions();
    if (!options.help) return options;
    process.stdout.write(USAGE);
    process.exit();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const { chosen, seed, ...values } = optionsOrUsage();
const work = values.long ? { feedback: 2000, kills: 300 } : { feedback: 200, kills: 50 };
const say = (line: string): void => void process.stdout.write(`${line}\n`);

// Processes spend most of a short life on loading the same modules again. The cache is written by
// processes that exit normally.
const compiled = mkdtempSync(join(tmpdir(), "abi-workflows-crash-"));
process.env["NODE_COMPILE_CACHE"] = compiled;
try {
  if (values.traffic && !(await trafficRun({ seconds: values.long ? 300 : 20, say }))) process.exitCode = 1;
  for (const on of values.traffic ? [] : chosen) {
    if (on === "postgres" && serverUrl === undefined) {
      say("Skipped: no PostgreSQL server (TEST_DATABASE_URL names none).");
      continue;
    }
    // The reason was already printed when the server was looked for.
    if (on.startsWith("restate") && !canRunRestate) continue;
    const clean = await crashRun({ on, ...work, seed, say });
    if (!clean) process.exitCode = 1;
  }
} finally {
  rmSync(compiled, { recursive: true, force: true });
}
