import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { call, FEEDBACK, workplace } from "./cli/command-process.ts";
import { root, runNode } from "./docs/documents.ts";
import { temporaryFolder } from "./support/folder.ts";

/** When a process ends, writes the names of all packages that it has loaded to the file `LOADED`. */
const RECORDER = `
import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
const loaded = new Set();
registerHooks({
  load: (url, context, next) => {
    const [, name] = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? [];
    if (name !== undefined) loaded.add(name);
    return next(url, context);
  },
});
process.on("exit", () => writeFileSync(process.env.LOADED, JSON.stringify([...loaded])));
`;

async function packagesOf(args: readonly string[]): Promise<string[]> {
  const folder = temporaryFolder();
  const recorder = join(folder, "recorder.mjs");
  const loaded = join(folder, "loaded.json");
  writeFileSync(recorder, RECORDER);
  const { code, stderr } = await runNode(["--import", pathToFileURL(recorder).href, ...args], {
    env: { LOADED: loaded },
  });
  expect(stderr).not.toContain("rror");
  expect(code).toBe(0);
  return (JSON.parse(readFileSync(loaded, "utf8")) as string[]).toSorted();
}

const command = (...args: string[]): Promise<string[]> => packagesOf([join(root, "bin/abi-workflows.js"), ...args]);

const imported = (entry: string): Promise<string[]> =>
  packagesOf(["--input-type=module", "--eval", `import ${JSON.stringify(pathToFileURL(join(root, entry)).href)}`]);

const COSTLY =
  /^(?:langchain|langsmith|@langchain\/.*|openai|oxigraph|@traqula\/.*|n3|html-to-text|nodemailer|cli-table3|hono|@hono\/.*|standardwebhooks|@clack\/.*|@modelcontextprotocol\/.*|pino|pg|prom-client|@opentelemetry\/.*|zod)$/;

const costlyOf = (packages: readonly string[]): string[] => packages.filter((name) => COSTLY.test(name));

describe("the start", () => {
  it("is really recorded: an entry that needs LangChain loads it", async () => {
    expect(await imported("src/decisions.ts")).toContain("@langchain/core");
  });

  it.each([["--help"], ["status", "--help"], ["mcp", "--help"], ["--version"]])(
    "loads no costly package for %s",
    async (...args) => {
      expect(costlyOf(await command(...args))).toEqual([]);
    },
  );

  it("loads only the table package for status", async () => {
    const place = workplace();
    await call(["process", ...FEEDBACK], place);
    const packages = await command("status", "--data", join(place.cwd, ".abi-workflows"));
    expect(costlyOf(packages)).toEqual(["cli-table3"]);
  });

  it("loads Zod, whose schemas are part of the API, and n3's terms without its streams for the main entry", async () => {
    const packages = await imported("src/index.ts");
    expect(costlyOf(packages)).toEqual(["n3", "zod"]);
    expect(packages).not.toContain("readable-stream");
  });

  it("loads MCP's SDK for the MCP entry, without LangChain and the graph", async () => {
    const costly = costlyOf(await imported("src/mcp.ts"));
    expect(costly).toContain("@modelcontextprotocol/server");
    expect(costly.filter((name) => /langchain|oxigraph|^pg$|nodemailer/.test(name))).toEqual([]);
  });

  it("loads no package for the offline analysers", async () => {
    expect(await imported("src/analysis.ts")).toEqual([]);
  });
});
