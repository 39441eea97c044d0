import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { SqliteCheckpointSaver } from "../../agents/index.ts";
import { createMailTransport } from "../../src/integrations/email/create-mail-transport.ts";
import { makePrivateFile } from "../../src/files/private-files.ts";
import { openApplication, OxigraphOntologyStore, readSettings } from "../../src/index.ts";
import { mailMessage } from "../integrations/email/mails.ts";
import { temporaryFolder } from "../support/folder.ts";

const PROCESS = fileURLToPath(new URL("../support/open-umask-process.ts", import.meta.url));

const modeOf = (path: string): number => statSync(path).mode & 0o777;

function folderThatWasThere(mode = 0o755): string {
  const folder = join(temporaryFolder(), "was-there");
  mkdirSync(folder);
  chmodSync(folder, mode);
  return folder;
}

/** Node.js prints warnings on standard error, and programs can listen for them. */
async function warningsOf(work: () => Promise<void> | void): Promise<{ code: string; message: string }[]> {
  const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  onTestFinished(() => emitWarning.mockRestore());
  await work();
  return emitWarning.mock.calls.flatMap(([message, options]) => {
    const { type, code = "" } = options ?? {};
    return type === "SecurityWarning" ? [{ code, message: String(message) }] : [];
  });
}

const openMemory = (path: string): void => new SqliteCheckpointSaver(path).close();

describe.skipIf(process.platform === "win32")("stored data", () => {
  it("is readable by its owner only, whatever the umask: databases, the files that SQLite puts beside them, locks, emails, backups, folders", async () => {
    const root = temporaryFolder();
    const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, root]);
    const [whileOpen, afterBackup] = JSON.parse(stdout) as Record<string, string>[];
    expect(Object.keys(whileOpen!)).toEqual(
      expect.arrayContaining([
        "chat/deep/conversations.sqlite",
        "chat/deep/conversations.sqlite-wal",
        "chat/deep/conversations.sqlite-shm",
        "graph/ontology.sqlite",
        "graph/ontology.sqlite-wal",
        "graph/ontology.sqlite.lock",
        "engine/runs.sqlite",
        "engine/runs.sqlite-wal",
        "engine/runs.sqlite.lock",
        "outbox/1@shop.example.eml",
        "data/data.sqlite",
      ]),
    );
    expect(Object.keys(afterBackup!)).toEqual(
      expect.arrayContaining(["backups/today/runs.sqlite", "backups/today/outbox/open.eml"]),
    );
    for (const [path, mode] of Object.entries({ ...whileOpen, ...afterBackup })) {
      expect([path, mode]).toEqual([path, /\.(?:sqlite|eml|lock)/.test(path) ? "600" : "700"]);
    }
  });

  it("is private even in an existing folder that is open to others, which is reported once and left as it is", async () => {
    const folder = folderThatWasThere();
    const path = join(folder, "conversations.sqlite");
    const warnings = await warningsOf(() => {
      openMemory(path);
      openMemory(path);
    });
    expect(modeOf(path)).toBe(0o600);
    expect(modeOf(folder)).toBe(0o755);
    expect(warnings).toMatchObject([{ code: "ABI_OPEN_FOLDER", message: expect.stringContaining("mode 755") }]);
    expect(warnings[0]!.message).toContain(`chmod 700 ${folder}`);
  });

  it.each([0o750, 0o701, 0o770])("warns about a folder with mode %o", async (mode) => {
    const folder = folderThatWasThere(mode);
    expect(await warningsOf(() => openMemory(join(folder, "chat.sqlite")))).toHaveLength(1);
  });

  it("warns with the folder's name escaped for the terminal, and with a command that can be copied", async () => {
    const folder = join(folderThatWasThere(0o700), "Ann's \u001B[31mdata");
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    const [warning] = await warningsOf(() => openMemory(join(folder, "chat.sqlite")));
    const message = warning?.message;
    expect(message).not.toContain("\u001B");
    expect(message).toMatch(/chmod 700 '.*Ann'\\''s \\u001b\[31mdata'$/);
  });

  it("warns about an open data directory and an open outbox", async () => {
    const [dataDirectory, outbox] = [folderThatWasThere(), folderThatWasThere()];
    const warnings = await warningsOf(async () => {
      const mailUrl = `outbox:${outbox}`;
      await (await openApplication(readSettings({ dataDirectory, mailUrl }, {}))).close();
      await createMailTransport(mailUrl).send(mailMessage());
      await createMailTransport(mailUrl).send(mailMessage({ messageId: "<2@shop.example>" }));
    });
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining(dataDirectory),
      expect.stringContaining(outbox),
    ]);
  });

  it("warns about a file that others can read, but not if its folder keeps them out", async () => {
    const [open, closed] = [folderThatWasThere(), folderThatWasThere(0o700)];
    const files = [open, closed].map((folder) => join(folder, "conversations.sqlite"));
    for (const file of files) writeFileSync(file, "", { mode: 0o644 });
    const warnings = await warningsOf(() => files.forEach(openMemory));
    expect(warnings).toMatchObject([
      { code: "ABI_OPEN_FOLDER" },
      { code: "ABI_OPEN_FILE", message: expect.stringContaining(files[0]!) },
    ]);
    expect(modeOf(files[0]!)).toBe(0o644);
  });

  it.each([
    ["shared", (folder: string) => chmodSync(folder, 0o1777)],
    ["somebody else's", () => vi.spyOn(process, "getuid").mockReturnValue(process.getuid!() + 1)],
    ["the working directory", (folder: string) => vi.spyOn(process, "cwd").mockReturnValue(folder)],
  ])("does not warn about a folder that is %s, but about an open file in it", async (_, prepare) => {
    const folder = folderThatWasThere();
    onTestFinished(() => void vi.restoreAllMocks());
    prepare(folder);
    const [made, open] = ["made.sqlite", "open.sqlite"].map((name) => join(folder, name));
    writeFileSync(open!, "", { mode: 0o644 });
    const warnings = await warningsOf(async () => {
      openMemory(made!);
      openMemory(open!);
      await (await OxigraphOntologyStore.open({ path: join(folder, "ontology.sqlite") })).close();
    });
    expect(warnings).toMatchObject([{ code: "ABI_OPEN_FILE", message: expect.stringContaining(`chmod 600 ${open}`) }]);
    expect(modeOf(made!)).toBe(0o600);
  });

  it("is private at the target of a symbolic link, too", () => {
    const folder = temporaryFolder();
    symlinkSync(join(folder, "target"), join(folder, "link"));
    makePrivateFile(join(folder, "link"));
    expect(modeOf(join(folder, "target"))).toBe(0o600);
  });

  it("raises no warning if the folders are new", async () => {
    const folder = temporaryFolder();
    expect(await warningsOf(() => openMemory(join(folder, "new", "chat.sqlite")))).toEqual([]);
  });
});
