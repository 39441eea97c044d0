import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import {
  codeBlocks,
  createProject,
  DOCUMENTS,
  ENTRIES,
  filesOf,
  notebookCode,
  readDocument,
  root,
  runNode,
} from "./documents.ts";

const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/gu, "-");

const anchors = (path: string): string[] =>
  [...readDocument(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => slug(heading));

/** Lines that a formatter may have joined: list items in one line, or commands behind another one's comment. */
function collapsed(markdown: string): string[] {
  const prose = markdown.replaceAll(/^```.*?^```$/gms, "").split("\n");
  const code = [...markdown.matchAll(/^```(?:sh|bash)?\n(.*?)^```$/gms)].flatMap(([, block = ""]) => block.split("\n"));
  return [
    ...prose.filter((line) => !line.startsWith("|") && /[.:;!?)`] (?:-|[2-9]\.)(?: [`*\p{Lu}]|$)/u.test(line)),
    ...code.filter((line) => /^(?<program>\w[\w-]+) .*# .*(?<!\S)\k<program> /.test(line)),
  ];
}

describe("the documents", () => {
  it("are found", () => {
    expect(DOCUMENTS).toContain("docs/writing-workflows.md");
  });

  it("are all in the index", () => {
    const listed = new Set([...readDocument("docs/README.md").matchAll(/\]\(([^)#]+\.md)\)/g)].map(([, page]) => page));
    const pages = DOCUMENTS.filter((path) => path !== "docs/README.md").map((path) => relative("docs", path));
    expect(pages.filter((page) => !listed.has(page))).toEqual([]);
  });

  it.each(DOCUMENTS)("include %s, which has no dead links", (path) => {
    const links = [...readDocument(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : join(dirname(path), file);
      return !existsSync(join(root, target)) || (anchor !== undefined && !anchors(target).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  it.each([...DOCUMENTS, "templates/project/README.md"])(
    "include %s, which has each list item and each command on its own line",
    (path) => {
      expect(collapsed(readDocument(path))).toEqual([]);
    },
  );

  it("are searched for lines that were joined", () => {
    const text = "- One. - Two\n1. One. 2. Two\nEnd. -\n```sh\nabi-workflows a # first abi-workflows b # second\n```\n";
    expect(collapsed(text)).toHaveLength(4);
    const fine = "- One - and two.\n| a. - b |\n```sh\nabi-workflows a # in a checkout: npm start\nx. - y\n```\n";
    expect(collapsed(fine)).toEqual([]);
  });

  it.each(DOCUMENTS)("include %s, whose TypeScript is all tested", (path) => {
    const unseen = codeBlocks(path).filter(({ language, file, source }) => language === "ts" && !file && !source);
    expect(unseen).toEqual([]);
  });

  it.each(DOCUMENTS)("include %s, which quotes our sources literally", (path) => {
    const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim();
    for (const { source, code } of codeBlocks(path)) {
      if (source === undefined) continue;
      const ours = oneLine(readFileSync(join(root, source), "utf8"));
      let from = 0;
      for (const part of code.split(/^…$/m).map(oneLine)) {
        const at = ours.indexOf(part, from);
        expect(at, `${source}: ${part}`).toBeGreaterThanOrEqual(0);
        from = at + part.length;
      }
    }
  });

  it("contain code that compiles with our own strict settings", async () => {
    const files = DOCUMENTS.flatMap((path) =>
      Object.entries(filesOf(path)).map(
        ([name, code]) => [join(path.replaceAll(/[^a-z]/gi, "-"), name), code] as const,
      ),
    );
    files.push(["notebook/cells.ts", notebookCode()]);
    expect(files.length).toBeGreaterThan(10);
    const paths = Object.entries(ENTRIES).map(([entry, source]) => [
      entry === "index" ? "abi-workflows" : `abi-workflows/${entry}`,
      [join(root, source)],
    ]);
    const configuration = {
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        paths: Object.fromEntries(paths) as Record<string, string[]>,
        typeRoots: [join(root, "node_modules/@types")],
      },
      include: ["**/*.ts"],
    };
    const cwd = createProject({ ...Object.fromEntries(files), "tsconfig.json": JSON.stringify(configuration) });
    const { stdout } = await runNode([join(root, "node_modules/typescript/bin/tsc"), "-p", "."], { cwd });
    expect(stdout).toBe("");
  });
});
