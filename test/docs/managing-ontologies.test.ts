import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { codeBlocks, createProject, filesOf, runNode, type Ended } from "./documents.ts";

const PAGE = "docs/managing-ontologies.md";

/** The output of the programs, according to the page. */
const printed = codeBlocks(PAGE).flatMap(({ language, code }) => (language === "text" ? [code] : []));

let cwd: string;
let written: Ended;
const run = (...args: string[]) => runNode(args, { cwd });
const well = (stdout: string) => ({ code: 0, stdout, stderr: "" });

beforeEach(async () => {
  cwd = createProject(filesOf(PAGE));
  written = await run("write.ts");
});

test("the page's programs write, query and rename as it says", async () => {
  expect(written).toEqual(well(printed[0]!));
  expect(await run("ask.ts")).toEqual(well(printed[1]!));
  expect(await run("rename.ts")).toEqual(well(""));
  await run("files.ts", "export", "products", "renamed.ttl");
  expect(readFileSync(join(cwd, "renamed.ttl"), "utf8")).toContain("shop:warrantyMonths 48");
});

test("the page's check finds the faults of a store, and none if there are none", async () => {
  expect(await run("check.ts", "products")).toEqual(well("no faults\n"));
  expect(await run("check.ts", "feedback")).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^\d+ faults\n[^]*Feedback\/F-1 http:\/\/example\.org\/abi#sentiment\n/),
  });
});

test("the page's files can be imported and exported, and a second import adds nothing", async () => {
  expect(await run("files.ts", "import", "vocabulary", "shop.ttl")).toEqual(well("9 triples from shop.ttl\n"));
  await run("files.ts", "import", "vocabulary", "shop.ttl");
  expect(await run("files.ts", "export", "vocabulary", "out.ttl")).toEqual(well("9 triples to out.ttl\n"));
  expect(await run("files.ts", "import", "copy", "out.ttl")).toEqual(well("9 triples from out.ttl\n"));
});
