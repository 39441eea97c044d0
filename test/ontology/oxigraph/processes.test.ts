import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { select } from "../../../src/ontology/queries.ts";

let folder: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ontology-"));
  path = join(folder, "graph.sqlite");
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

function run(script: URL, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [fileURLToPath(script), path, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

async function* linesOf(child: ChildProcess): AsyncIterable<string> {
  if (child.stdout) yield* createInterface({ input: child.stdout });
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

describe("OxigraphOntologyStore and other processes", () => {
  it("loses no acknowledged write and leaves none half done when it is killed", async () => {
    let acknowledged = -1;
    for (let death = 0; death < 5; death += 1) {
      const target = acknowledged + 40 + death;
      const child = run(new URL("./insert-until-killed.ts", import.meta.url), String(acknowledged + 1));
      for await (const line of linesOf(child)) {
        acknowledged = Math.max(acknowledged, Number(line));
        // It is in the middle of the next batch by now; lines still in transit count.
        if (acknowledged >= target && !child.killed) child.kill("SIGKILL");
      }

      const store = await OxigraphOntologyStore.open({ path });
      const rows = await select(store, "data", "SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?s");
      const counts = new Map(rows.map((row) => [row["s"]?.value, row["n"]?.value]));
      for (let batch = 0; batch <= acknowledged; batch += 1) expect(counts.get(`urn:batch:${batch}`)).toBe("20");
      expect(new Set(counts.values())).toEqual(new Set(["20"]));
      const latest = await select(store, "latest", "SELECT ?batch { ?s ?p ?batch }");
      expect(latest).toHaveLength(1);
      expect(Number(latest[0]?.["batch"]?.value.split(":")[2])).toBeGreaterThanOrEqual(acknowledged);
      await store.close();
    }
    expect(acknowledged).toBeGreaterThanOrEqual(200);
  });

  it("can't be opened while another process has the file open, but can once that process is killed", async () => {
    const child = run(new URL("./hold-open.ts", import.meta.url));
    for await (const line of linesOf(child)) {
      expect(line).toBe("open");
      break;
    }
    const opening = OxigraphOntologyStore.open({ path });
    await expect(opening).rejects.toMatchObject({ type: "io_error", code: "in_use" });
    await expect(opening).rejects.toThrow(`pid ${child.pid}`);
    await kill(child);
    const store = await OxigraphOntologyStore.open({ path });
    await store.close();
  });

  it("can't be opened again in this process, under any name of the file", async () => {
    const store = await OxigraphOntologyStore.open({ path });
    await expect(OxigraphOntologyStore.open({ path })).rejects.toThrow("already open in this process");
    const alias = join(folder, "alias.sqlite");
    await symlink(path, alias);
    await expect(OxigraphOntologyStore.open({ path: alias })).rejects.toMatchObject({ code: "in_use" });
    await store.close();
    await (await OxigraphOntologyStore.open({ path })).close();
  });
});
