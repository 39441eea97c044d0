// Every way in which something that a command needs can be missing or wrong, and the resulting message.
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { serve } from "../support/http.ts";
import { startSparqlEndpoint } from "../support/sparql-endpoint.ts";
import { call, callProcess, FEEDBACK, workplace, type CallOptions } from "./command-process.ts";

const DECISION = ["F-1", "--rendering", "5f3c", "--by", "Ann"];
const LOOKING: [name: string, args: string[]][] = [
  ["status", ["status"]],
  ["status of one run", ["status", "F-1"]],
  ["approvals", ["approvals"]],
  ["approvals show", ["approvals", "show", "F-1"]],
  ["approvals approve", ["approvals", "approve", ...DECISION]],
  ["approvals reject", ["approvals", "reject", ...DECISION]],
  ["retry", ["retry", "F-1"]],
  ["retry --failed", ["retry", "--failed"]],
  ["cancel", ["cancel", "F-1"]],
  ["query", ["query", "ASK {}"]],
  ["backup", ["backup", "copy"]],
];

/** Root may read everything, so the command then runs as another user. */
const OTHER_USER = process.getuid?.() === 0 ? { uid: 65_534 } : {};

test.skipIf(process.platform === "win32").each([["query", "ASK {}"], ["export-labels", "labels"], ["status"]])(
  "%s does not treat an unreadable data directory as an empty one",
  async (...args) => {
    const { cwd, env } = workplace();
    await call(["process", ...FEEDBACK], { cwd, env });
    chmodSync(cwd, 0o755);
    chmodSync(join(cwd, ".abi-workflows"), 0o000);
    const { code, stdout, stderr } = await callProcess(args, { cwd, env: { ...env, HOME: "/" }, ...OTHER_USER });
    chmodSync(join(cwd, ".abi-workflows"), 0o700);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(".abi-workflows can't be read. Run the command as the user who owns it");
  },
);

/** The command's error, which must be one line, with no log, no secret and no claim that the fault is ours. */
async function complaint(args: readonly string[], options: CallOptions): Promise<string> {
  const { code, stderr } = await call(args, options);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: [^\n]+\n$/);
  expect(stderr).not.toMatch(/hunter2|our side|the log/i);
  return stderr.slice("error: ".length, -1);
}

describe.each(LOOKING)("%s", (_name, args) => {
  test("says that there is no such folder, and creates none", async () => {
    const cwd = temporaryFolder();
    expect(await complaint([...args, "--data", "typo"], { cwd })).toMatch(/^There is no folder .*typo\. Name .*--data/);
    expect(await complaint(args, { cwd, env: { ABI_DATA_DIRECTORY: "typo" } })).toMatch(/^There is no folder .*typo/);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test("says that a file is no folder", async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "file"), "");
    expect(await complaint([...args, "--data", "file"], { cwd })).toMatch(/file is a file, not a folder/);
    expect(readdirSync(cwd)).toEqual(["file"]);
  });

  test("says that a folder can't be read", async () => {
    const cwd = temporaryFolder();
    symlinkSync("loop", join(cwd, "loop"));
    expect(await complaint([...args, "--data", "loop"], { cwd })).toMatch(
      /loop can't be read\. Run the command as the/,
    );
  });

  test("creates nothing if nothing is stored yet", async () => {
    const cwd = temporaryFolder();
    await call(args, { cwd });
    mkdirSync(join(cwd, "empty"));
    await call([...args, "--data", "empty"], { cwd });
    expect(readdirSync(cwd)).toEqual(["empty"]);
    expect(readdirSync(join(cwd, "empty"))).toEqual([]);
  });
});

test("status is no error if the default folder does not exist yet", async () => {
  expect(await call(["status"], { cwd: temporaryFolder() })).toMatchObject({ code: 0, stderr: "No runs here yet.\n" });
});

test("a decision on runs that are stored elsewhere creates no folder", async () => {
  const cwd = temporaryFolder();
  const env = { DATABASE_URL: "postgres://me:hunter2@127.0.0.1:1/runs", ONTOLOGY_URL: "http://127.0.0.1:1/sparql" };
  expect(await complaint(["approvals", "show", "F-1"], { cwd, env })).toMatch(/nothing listens there/);
  expect(readdirSync(cwd)).toEqual([]);
});

describe("a data directory", () => {
  test.each([["file"], ["file/below"]])("is refused at %s, where it can't be created", async (data) => {
    const place = workplace();
    writeFileSync(join(place.cwd, "file"), "");
    expect(await complaint(["process", ...FEEDBACK, "--data", data], place)).toMatch(/is a file\. Name a folder/);
  });

  /** A folder with one file in it. */
  function folderWith(name: string, write: (path: string) => void): CallOptions {
    const place = workplace();
    mkdirSync(join(place.cwd, "data"));
    write(join(place.cwd, "data", name));
    return { ...place, env: { ...place.env, ABI_DATA_DIRECTORY: "data" } };
  }

  const text = (path: string): void => writeFileSync(path, "a text that is long enough to be looked at ".repeat(100));
  const folder = (path: string): void => mkdirSync(path);
  const foreign = (path: string): void => {
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE cookies (name TEXT); PRAGMA user_version = 7");
    database.close();
  };

  test.each([
    ["a text", text, /data\.sqlite cannot be opened: it is damaged, or not a SQLite file\. Replace it with a backup/],
    ["a folder", folder, /data\.sqlite cannot be opened: check that it is a file/],
    ["of another application", foreign, /data\.sqlite contains another application's data/],
  ])("is refused if its runs are %s", async (_case, write, words) => {
    expect(await complaint(["status"], folderWith("data.sqlite", write))).toMatch(words);
  });

  test.each([
    ["a text", text, /data\.sqlite is damaged or is not a knowledge graph\. Replace it with a backup/],
    ["a folder", folder, /data\.sqlite can't be opened\. Check that it is a file/],
    ["of another application", foreign, /contains another application's data/],
  ])("is refused if its knowledge graph is %s", async (_case, write, words) => {
    const place = folderWith("data.sqlite", write);
    expect(await complaint(["query", "ASK {}"], place)).toMatch(words);
    expect(await complaint(["process", ...FEEDBACK], place)).toMatch(words);
  });

  test.each(["runs.sqlite", "ontology.sqlite"])(
    "is refused if it is from an earlier build, which had %s",
    async (name) => {
      const place = folderWith(name, foreign);
      for (const args of [["status"], ["query", "ASK {}"], ["process", ...FEEDBACK]]) {
        expect(await complaint(args, place)).toMatch(/an earlier build.*choose another data directory/);
      }
      expect(readdirSync(join(place.cwd, "data"))).toEqual([name]);
    },
  );

  test("is refused if it contains another application's file, which stays unchanged", async () => {
    const place = folderWith("data.sqlite", foreign);
    await call(["status"], place);
    const database = new DatabaseSync(join(place.cwd, "data", "data.sqlite"), { readOnly: true });
    const tables = database.prepare("SELECT name FROM sqlite_schema").all();
    database.close();
    expect(tables).toEqual([{ name: "cookies" }]);
  });

  test("is refused if its knowledge graph is from a newer version", async () => {
    const place = workplace();
    await call(["import-customers", "customers.csv"], place);
    const database = new DatabaseSync(join(place.cwd, ".abi-workflows", "data.sqlite"));
    database.exec("UPDATE parts SET version = 99");
    database.close();
    expect(await complaint(["query", "ASK {}"], place)).toMatch(/newer version.*Update the package/);
  });
});

describe("a SPARQL endpoint", () => {
  const html = { headers: { "content-type": "text/html" }, body: "<!doctype html><html>Welcome</html>" };
  test.each<[string, Parameters<typeof serve>[0], RegExp]>([
    ["a web page", html, /can't be read.*proxy/],
    ["JSON of another kind", { json: { hello: 1 } }, /can't be read.*SPARQL endpoint/],
    ["401", { status: 401 }, /HTTP 401.*Check user, password or token/],
    ["403", { status: 403 }, /HTTP 403.*may read and write/],
    ["404", { status: 404 }, /HTTP 404.*Check its URL/],
    ["405", { status: 405 }, /HTTP 405.*Check its URL/],
    ["a page for signing in", { status: 302, headers: { location: "http://sso.example.org/" } }, /final URL/],
  ])("is reported if it answers with %s", async (_case, answer, words) => {
    const { origin } = await serve(answer);
    const ONTOLOGY_URL = `${origin.replace("://", "://me:hunter2@")}/sparql`;
    expect(await complaint(["query", "ASK {}"], { cwd: temporaryFolder(), env: { ONTOLOGY_URL } })).toMatch(words);
  });

  test("is reported if it is down or its password is invalid in a URL, also in JSON", async () => {
    const cwd = temporaryFolder();
    const ask = (ONTOLOGY_URL: string) => complaint(["query", "ASK {}"], { cwd, env: { ONTOLOGY_URL } });
    expect(await ask("http://me:hunter2@127.0.0.1:1/sparql")).toMatch(/can't be reached/);
    expect(await ask("http://me:hunter2%@127.0.0.1:1/sparql")).toMatch(/percent-encoded/);
    const { origin } = await serve({ status: 401 });
    const { stdout } = await call(["query", "ASK {}", "--json"], { cwd, env: { ONTOLOGY_URL: `${origin}/sparql` } });
    expect(JSON.parse(stdout)).toMatchObject({ success: false, error: expect.stringContaining("HTTP 401") as string });
  });

  test("is reported if it does not allow updates", async () => {
    const endpoint = await startSparqlEndpoint();
    const { origin } = await serve({ status: 403 });
    const place = workplace();
    const env = { ...place.env, ONTOLOGY_URL: `${endpoint.origin}/sparql`, ONTOLOGY_UPDATE_URL: `${origin}/update` };
    expect(await complaint(["import-customers", "customers.csv"], { ...place, env })).toMatch(
      /HTTP 403.*may read and write/,
    );
    // The run's error says that the settings are wrong; the log next to it says what is wrong with them.
    const { code, stdout, stderr } = await call(["process", ...FEEDBACK, "--json"], { ...place, env });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      error_code: "access_denied",
      error: "The SPARQL endpoint can't be used with the current settings. The log says what to correct.",
    });
    expect(stderr).toContain("HTTP 403");
    expect(existsSync(join(place.cwd, ".abi-workflows"))).toBe(true);
  });
});
