import { createHash } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { anyOf, TokenFile, Tokens } from "../../../src/interfaces/http/tokens.ts";
import { temporaryFolder } from "../../support/folder.ts";

const SECRET = "secret-0123456789abcdef";
const OTHER = "other-0123456789abcdefg";

describe("tokens from a setting", () => {
  it("have a name and scopes; several may have the same name, so that they can be rotated", async () => {
    const tokens = Tokens.fromSetting(`Ann.Ford:approve+feedback:read:${SECRET}, bot:feedback:write:${OTHER}`);
    expect(await tokens.verify(SECRET)).toEqual({ name: "Ann.Ford", scopes: new Set(["approve", "feedback:read"]) });
    expect(await tokens.verify(OTHER)).toEqual({ name: "bot", scopes: new Set(["feedback:write"]) });
    for (const wrong of ["", SECRET.slice(1), `${SECRET}x`, OTHER.toUpperCase()]) {
      expect(await tokens.verify(wrong)).toBeUndefined();
    }
  });

  it("are not stored themselves", () => {
    expect(inspect(Tokens.fromSetting(`ann:approve:${SECRET}`), { depth: 9, showHidden: true })).not.toContain(SECRET);
  });

  it.each([
    [`ann:${SECRET}`, "token 1"],
    [`ann:approve:${SECRET},bob`, "token 2"],
    [`ann:all:${SECRET}`, "must be one of feedback:read, feedback:write, approve, admin"],
    [`ann::${SECRET}`, "token 1"],
    [`:approve:${SECRET}`, "Its name must have 1 to 100"],
    ["ann:approve:short", "must have 16 to 500 characters"],
    [`ann:approve:${SECRET}ä`, "must have 16 to 500 characters, of"],
  ])("are refused without being quoted if invalid: %s", (text, problem) => {
    expect(() => Tokens.fromSetting(text)).toThrow(problem);
    expect(() => Tokens.fromSetting(text)).not.toThrow(SECRET);
  });
});

describe("tokens from a file", () => {
  const entry = (secret: string) => ({ name: "ann", scopes: ["approve"], token: secret });

  it("may be a list or lines, with the token or its hash", async () => {
    const sha256 = createHash("sha256").update(OTHER).digest("hex");
    const hashed = { name: "bot", scopes: ["feedback:read"], sha256 };
    for (const text of [
      JSON.stringify([entry(SECRET), hashed]),
      `${JSON.stringify(entry(SECRET))}\n\n${JSON.stringify(hashed)}\n`,
    ]) {
      const tokens = Tokens.fromFile(text);
      expect(await tokens.verify(SECRET)).toMatchObject({ name: "ann" });
      expect(await tokens.verify(OTHER)).toMatchObject({ name: "bot" });
      expect(await tokens.verify(sha256)).toBeUndefined();
    }
  });

  it.each([
    ["{", "neither a JSON array nor JSON Lines"],
    [JSON.stringify([{ name: "ann", scopes: ["approve"] }]), "either token or sha256"],
    [JSON.stringify([{ ...entry(SECRET), scopes: [] }]), "at least one scope"],
    [JSON.stringify([{ ...entry(SECRET), name: "a\nb" }]), "Its name"],
    [JSON.stringify([{ ...entry(SECRET), name: "Ann  Ford" }]), "Its name"],
  ])("are refused from an invalid file: %s", (text, problem) => {
    expect(() => Tokens.fromFile(text)).toThrow(problem);
  });

  it("are read again when the file changes, and stay valid when it can't be read", async () => {
    const path = join(temporaryFolder(), "tokens.json");
    const write = (text: string): void => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    write(JSON.stringify([entry(SECRET)]));
    const problems: unknown[] = [];
    const log = (problem: unknown): void => void problems.push(problem);
    const file = await TokenFile.open(path, { error: log, warn: log, info: () => {}, debug: () => {} });
    const tokens = anyOf([Tokens.fromSetting(`bot:feedback:read:bot-0123456789abcdef`), file]);
    expect(await tokens.verify(SECRET)).toMatchObject({ name: "ann" });
    write(JSON.stringify([entry(SECRET), entry(OTHER)]));
    expect(await tokens.verify(OTHER)).toMatchObject({ name: "ann" });
    write(JSON.stringify([entry(OTHER)]));
    expect(await tokens.verify(SECRET)).toBeUndefined();
    write("[broken");
    expect(await tokens.verify(OTHER)).toMatchObject({ name: "ann" });
    expect(await tokens.verify(OTHER)).toMatchObject({ name: "ann" });
    expect(problems).toHaveLength(1);
    expect(inspect(problems)).not.toContain(OTHER);
    // Tokens removed from the file are revoked, even if it is empty.
    write("\n");
    expect(await tokens.verify(OTHER)).toBeUndefined();
  });

  it("are read again once the file can be read, even if it has not changed since that failed", async () => {
    const path = join(temporaryFolder(), "tokens.json");
    writeFileSync(path, JSON.stringify([entry(SECRET)]));
    const file = await TokenFile.open(path);
    // A file that exists, but can't be read: root may read every file, so no permission would do.
    const reading = vi.spyOn(files, "readFile").mockRejectedValueOnce(new Error("EACCES"));
    syncBuiltinESMExports();
    onTestFinished(() => {
      reading.mockRestore();
      syncBuiltinESMExports();
    });
    writeFileSync(path, JSON.stringify([entry(SECRET), entry(OTHER)]));
    expect(await file.verify(OTHER)).toBeUndefined();
    expect(await file.verify(SECRET)).toMatchObject({ name: "ann" });
    expect(await file.verify(OTHER)).toMatchObject({ name: "ann" });
    expect(reading).toHaveBeenCalledTimes(2);
  });

  it("that can't be read for a while are reported once", async () => {
    const path = join(temporaryFolder(), "tokens.json");
    writeFileSync(path, JSON.stringify([entry(SECRET)]));
    const problems: unknown[] = [];
    const log = (problem: unknown): void => void problems.push(problem);
    const file = await TokenFile.open(path, { error: log, warn: log, info: () => {}, debug: () => {} });
    const reading = vi.spyOn(files, "readFile").mockRejectedValue(new Error("EACCES"));
    syncBuiltinESMExports();
    onTestFinished(() => {
      reading.mockRestore();
      syncBuiltinESMExports();
    });
    writeFileSync(path, JSON.stringify([entry(SECRET), entry(OTHER)]));
    for (let nth = 0; nth < 3; nth++) expect(await file.verify(SECRET)).toMatchObject({ name: "ann" });
    expect(problems).toHaveLength(1);
  });

  it("require a file that exists and is not empty", async () => {
    const folder = temporaryFolder();
    await expect(TokenFile.open(join(folder, "none"))).rejects.toMatchObject({ code: "invalid_configuration" });
    await expect(TokenFile.open(folder)).rejects.toMatchObject({ code: "invalid_configuration" });
    writeFileSync(join(folder, "empty"), "\n");
    await expect(TokenFile.open(join(folder, "empty"))).rejects.toThrow("has no tokens");
  });
});
