import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createProject, root, runNode } from "../docs/documents.ts";
import { canMount, smallDisk } from "../outage/full-disk.ts";
import { temporaryFolder } from "../support/folder.ts";
import { call } from "./command-process.ts";

const FILES = [".gitignore", "README.md", "package.json", "src", "test", "tsconfig.json"];

/** The error of a command that has created nothing. */
async function complaint(folder: string, cwd = temporaryFolder()): Promise<string> {
  const before = readdirSync(cwd, { recursive: true });
  const { code, stdout, stderr } = await call(["init", folder], { cwd });
  expect({ code: code !== 0, stdout, files: readdirSync(cwd, { recursive: true }) }).toEqual({
    code: true,
    stdout: "",
    files: before,
  });
  expect(stderr).toMatch(/^error: [^\n]+\n$/);
  return stderr.slice("error: ".length, -1);
}

describe("init", () => {
  it("creates a project whose tests pass, including the one that kills its process", async () => {
    const cwd = createProject({});
    expect(await call(["init", "shop"], { cwd })).toMatchObject({ code: 0, stderr: "" });
    const project = join(cwd, "shop");
    const { scripts } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
      scripts: { test: string };
    };
    const pattern = /^node --test "(.*)"$/.exec(scripts.test)![1]!;
    const { code, stdout } = await runNode(["--test", "--test-reporter=tap", pattern], { cwd: project });
    expect(stdout).toMatch(/^# pass 5$/m);
    expect(stdout).toMatch(/killed (?:(?:before|after):payments\.pay(?:, |\n))+/);
    expect(code).toBe(0);
  });

  it("says what to type next, and names the project after its folder", async () => {
    const cwd = temporaryFolder();
    const { stdout } = await call(["init", "work/shop"], { cwd });
    const next = [...stdout.matchAll(/^ {2}(.*?)(?: {2,}#.*)?$/gm)].map(([, command]) => command);
    expect(next).toEqual(["cd work/shop", `npm pack ${root}`, "npm install", "npm test", "npm run dev"]);
    const project = join(cwd, "work", "shop");
    expect(readdirSync(project).toSorted()).toEqual(FILES);
    expect(readFileSync(join(project, "README.md"), "utf8")).toMatch(/^# shop\n/);
    const { name, dependencies, devDependencies } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
      name: string;
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    expect(name).toBe("shop");
    // In a checkout, the dependency is the file that `npm pack` creates there.
    expect(dependencies["abi-workflows"]).toMatch(/^file:abi-workflows-\d+\.\d+\.\d+\.tgz$/);
    expect(Object.values({ ...dependencies, ...devDependencies })).not.toContain("*");
  });

  it("gives programs the same information as JSON", async () => {
    const cwd = temporaryFolder();
    const { stdout } = await call(["init", "shop", "--json"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ status: "created", name: "shop", folder: join(cwd, "shop") });
    expect((JSON.parse(stdout) as { next: string[] }).next).toContain("npm test");
  });

  it("accepts the current folder, and one that contains only a git repository", async () => {
    const cwd = join(temporaryFolder(), "shop");
    mkdirSync(join(cwd, ".git"), { recursive: true });
    const { code, stdout } = await call(["init", "."], { cwd });
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/^ {2}cd/m);
    expect(readdirSync(cwd).toSorted()).toEqual([".git", ...FILES]);
  });

  it("leaves a folder that is not empty alone", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "shop"));
    writeFileSync(join(cwd, "shop", "notes.txt"), "mine");
    expect(await complaint("shop", cwd)).toBe(
      "shop is not empty, and nothing in it may be overwritten. Name a new folder.",
    );
    writeFileSync(join(cwd, "file"), "");
    for (const folder of ["file", "file/shop"]) expect(await complaint(folder, cwd)).toContain("is a file");
  });

  it.each([
    ["My Shop", "URL-friendly characters. Name it my-shop, for example."],
    ["Shop", "capital letters. Name it shop, for example."],
    [".shop", "cannot start with a period. Name it shop, for example."],
    ["node_modules", "not a valid package name"],
    ["http", "is a core module name"],
    ["x".repeat(215), "214 characters"],
  ])("refuses a name that npm refuses: %s", async (name, reason) => {
    expect(await complaint(name)).toContain(reason);
    expect((await call(["init", name], { cwd: temporaryFolder() })).code).toBe(2);
  });

  it.skipIf(!statSync("/sys", { throwIfNoEntry: false }))("says if the folder can't be written", async () => {
    // Nobody may write there, not even root.
    expect(await complaint("/sys/shop")).toBe(
      "The project can't be created in /sys/shop: you have no permission to write there. Name another folder.",
    );
  });

  it.skipIf(!canMount())("leaves nothing behind if the disk is full", async () => {
    const disk = smallDisk();
    disk.fill();
    expect(await complaint("work/shop", disk.folder)).toContain("the disk is full");
    disk.free();
    expect((await call(["init", "work/shop"], { cwd: disk.folder })).code).toBe(0);
  });
});
