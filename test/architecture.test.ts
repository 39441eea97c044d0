import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = dirname(import.meta.dirname);

interface Import {
  from: string;
  to: string;
}

/** All imports in the package's own code: files relative to the root, packages by name. */
function imports(): Import[] {
  const files = globSync("{src,tools,agents,evaluation,cli,testing}/**/*.ts", { cwd: root });
  if (files.length < 50)
    throw new Error(`only ${files.length} files found below ${root}: is this test looking in the right place?`);
  return files.flatMap((from) => {
    const text = readFileSync(join(root, from), "utf8");
    const specifiers = [
      ...text.matchAll(
        /(?:^|\n)\s*(?:import|export)\b[^;"']*["']([^"']+)["']|\b(?:import|requirePackage)\(\s*["']([^"']+)["']/g,
      ),
    ];
    return specifiers.map((match) => {
      const specifier = (match[1] ?? match[2])!;
      const to = specifier.startsWith(".") ? relative(root, join(root, dirname(from), specifier)) : specifier;
      return { from, to };
    });
  });
}

const all = imports();

const broken = (from: RegExp, to: RegExp): string[] =>
  all.filter((edge) => from.test(edge.from) && to.test(edge.to)).map((edge) => `${edge.from} → ${edge.to}`);

interface Room {
  name: string;
  imports: string[];
}

/** The parts listed on the architecture page: those of its first table, and the helpers of its second. */
function roomsOfPage(): { rooms: Room[]; helpers: Room[] } {
  const page = readFileSync(join(root, "docs/architecture.md"), "utf8");
  const [rooms = [], helpers = []] = page
    .split(/^\| folder .*$/m)
    .slice(1)
    .map((table) =>
      [...table.matchAll(/^\| `([^`]+)` *\|[^|]*\|([^|]*)\|$/gm)].map(([, name = "", imports = ""]) => ({
        name,
        imports: [...imports.matchAll(/`([^`]+)`/g)].map(([, room = ""]) => room),
      })),
    );
  return { rooms, helpers };
}

const { rooms, helpers } = roomsOfPage();

/** The part that a file belongs to; undefined if the page doesn't list one. */
const roomOf = (file: string): string | undefined =>
  /^src\/[^/]+\.ts$/.test(file)
    ? "src/*.ts"
    : [...rooms, ...helpers].map(({ name }) => name).find((name) => file.startsWith(name));

/** The package's entry points, which may export anything. */
const ENTRIES = /^src\/(?:index|analysis|decisions|http|mcp)\.ts$/;

describe("the architecture page", () => {
  it("lists a part for every file", () => {
    const files = new Set(all.map(({ from }) => from));
    expect([...files].filter((file) => roomOf(file) === undefined)).toEqual([]);
  });

  it.each([...rooms, ...helpers])("says which parts $name imports", ({ name, imports }) => {
    const imported = all
      .filter(({ from, to }) => roomOf(from) === name && !ENTRIES.test(from) && /\/.*\.ts$/.test(to))
      .map(({ to }) => roomOf(to)!);
    const others = imported.filter((room) => room !== name && !helpers.some((helper) => helper.name === room));
    expect(imports.toSorted()).toEqual([...new Set(others)].toSorted());
  });
});

describe("the package's code", () => {
  it("is really searched: known imports are found, and a forbidden one would be", () => {
    expect(all).toContainEqual({ from: "tools/customer-feedback.ts", to: "src/application/application.ts" });
    expect(broken(/^tools\//, /^src\/application\//)).not.toEqual([]);
  });

  it.each<[string, RegExp, RegExp]>([
    [
      "src knows nothing of tools, agents, evaluation, commands and tests",
      /^src\//,
      /^(?:tools|agents|evaluation|cli|testing|test)\//,
    ],
    ["evaluation and training know src alone", /^evaluation\//, /^(?:tools|agents|cli|testing|test)\//],
    ["tools know src alone", /^tools\//, /^(?:agents|evaluation|cli|testing|test)\//],
    ["agents know src and tools alone", /^agents\//, /^(?:evaluation|cli|testing|test)\//],
    ["commands know no tests", /^cli\//, /^(?:testing|test)\//],
    [
      "the kit for tests knows src alone, and no package for tests",
      /^testing\//,
      /^(?:tools|agents|evaluation|cli|test)\/|^vitest/,
    ],
    ["the framework knows the engine only by its port", /^src\/framework\//, /^src\/engine\/(?!engine\.ts)/],
    [
      "a workflow knows no adapter and no interface",
      /^src\/workflows\//,
      /^src\/(?:interfaces|application)\/|\/(?:engine\/(?:sqlite|postgres|restate)|oxigraph|sparql-endpoint|embedded|chat-model)\/|(?:smtp|outbox|webhook|graph-ticket|file-customer|http-customer)/,
    ],
    [
      "a workflow knows no store's, mailer's, web framework's or model's package",
      /^src\/(?:workflows|framework)\//,
      /^(?:n3|oxigraph|nodemailer|hono|pg|langchain|@langchain\/(?!core\/tools$))/,
    ],
    [
      "what the outside world's rooms share stands in none of them",
      /^src\/(?:http-client\.ts|secrets\.ts|files\/)/,
      /^src\/(?!(?:errors|retry-policies|visible-text|telemetry\/tracing)\.ts|files\/)/,
    ],
    [
      "telemetry knows ports, and nothing of what it watches",
      /^src\/telemetry\//,
      /^src\/(?:workflows|interfaces|integrations|application)\/|\/(?:sqlite|postgres|restate|oxigraph|sparql-endpoint)\//,
    ],
    [
      "OpenTelemetry stays in telemetry",
      /^(?:src\/(?!telemetry\/)|tools\/|agents\/|cli\/|testing\/)/,
      /^@opentelemetry\//,
    ],
    ["files of rows know no other room", /^src\/row-file\//, /^src\/(?!row-file\/|errors\.ts$)/],
    [
      "the ontology knows nothing of the other rooms",
      /^src\/ontology\//,
      /^src\/(?!(?:ontology|files|concurrency)\/|[^/]+\.ts$)/,
    ],
    [
      "questions know no adapter, no interface and no workflow",
      /^src\/questions\//,
      /^src\/(?:interfaces|workflows|engine|integrations|application)\/|\/(?:oxigraph|sparql-endpoint)\//,
    ],
    [
      "ports know no adapter",
      /^src\/(?:ontology\/(?:ontology-store|query-runner)|engine\/(?:engine|run-store)|analysis\/[^/]+|integrations\/[^/]+\/(?:customer-source|mail-transport|ticket-system))\.ts$/,
      /\/(?:sqlite|postgres|restate|oxigraph|sparql-endpoint|embedded|chat-model)\/|smtp|outbox|webhook/,
    ],
    ["rooms of src do not know the application", /^src\/(?!application\/|(?:index|http)\.ts$)/, /^src\/application\//],
    [
      "an interface knows no workflow, no adapter, and no store of runs",
      /^src\/interfaces\//,
      /^src\/(?:workflows|integrations|engine\/(?!engine\.ts)|application\/)|\/(?:oxigraph|sparql-endpoint)\//,
    ],
    ["no interface knows another", /^src\/interfaces\/langchain\//, /^src\/interfaces\/(?!langchain|model-calls)/],
    [
      "the console knows nothing but what comes over HTTP",
      /^src\/interfaces\/console\//,
      /^src\/(?!interfaces\/console\/)/,
    ],
    ["no interface knows another (HTTP)", /^src\/interfaces\/http\//, /^src\/interfaces\/(?!http|model-calls)/],
    ["no interface knows another (MCP)", /^src\/interfaces\/mcp\//, /^src\/interfaces\/(?!mcp|model-calls)/],
    ["Restate's SDK stays in its room", /^(?:src\/(?!engine\/restate\/)|tools|agents|cli|testing)/, /^@restatedev\//],
    [
      "MCP's packages stay in its interface",
      /^(?:src\/(?!interfaces\/mcp\/)|tools|agents|cli|testing)/,
      /^@modelcontextprotocol\//,
    ],
    [
      "LangChain's agents and models stay in agents",
      /^(?:src\/(?!chat-completions\/open-chat-model\.ts)|tools\/|cli\/)/,
      /^(?:langchain|@langchain\/(?:openai|langgraph))/,
    ],
  ])("follows the rule: %s", (_, from, to) => {
    expect(all.some((edge) => from.test(edge.from))).toBe(true);
    expect(broken(from, to)).toEqual([]);
  });

  it("writes to the terminal in one file only, which escapes control characters", () => {
    const code = globSync("{src,tools,agents,evaluation,cli,testing}/**/*.ts", { cwd: root });
    const writers = code.filter(
      (file) =>
        !file.startsWith("evaluation/scripts/") &&
        /\b(?:stdout|stderr)\s*\.\s*write\b|\bconsole\s*\.|\bwriteSync\(\s*[12]\b/.test(
          readFileSync(join(root, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, ""),
        ),
    );
    expect(writers).toEqual([]);
    expect(all.filter(({ to }) => to === "cli/terminal/output.ts").length).toBeGreaterThan(10);
  });

  it("mentions nothing specific to customer feedback in the framework and the interfaces", () => {
    const files = globSync("src/{framework,interfaces}/**/*.ts", { cwd: root }).filter(
      (file) =>
        // The pages of the console are about feedback.
        !file.startsWith("src/interfaces/console/client/") &&
        /customer_id|customer-feedback/.test(
          readFileSync(join(root, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*|\.describe\([^)]*\)/g, ""),
        ),
    );
    expect(files).toEqual([]);
  });

  it("reads the environment in one file only", () => {
    const readers = globSync("{src,tools,agents,evaluation,cli,testing}/**/*.ts", { cwd: root }).filter((file) =>
      /process\.env\b/.test(readFileSync(join(root, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")),
    );
    expect(readers).toEqual(["src/application/settings.ts"]);
  });

  it("has commands that access the process only through their host", () => {
    const uses = globSync("cli/**/*.ts", { cwd: root }).filter((file) =>
      /\bprocess\.(?!getBuiltinModule)\w+/.test(
        readFileSync(join(root, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, ""),
      ),
    );
    expect(uses).toEqual(["cli/settings.ts", "cli/terminal/host.ts"]);
  });
});
