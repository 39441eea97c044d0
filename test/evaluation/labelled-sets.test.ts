import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { labelOf, readLabelledSets, withScopes } from "../../evaluation/labelled-sets.ts";
import { temporaryFolder } from "../support/folder.ts";

function folderWith(files: Record<string, string | Buffer>): string {
  const folder = temporaryFolder();
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  return folder;
}

describe("readLabelledSets", () => {
  it("reads both kinds of sets, in the order of the files' names", async () => {
    const folder = folderWith({
      "sentiment/b.jsonl": '{"text": "Fine", "label": "positive"}\n\n{"text": "Broken", "label": "negative"}\n',
      "sentiment/a.jsonl": '{"text": "It is blue", "label": "neutral"}',
      "sentiment/notes.md": "no set",
      "categories/c.jsonl": '{"text": "Slow", "labels": ["performance"], "scope": ["performance", "bug"]}\n',
    });
    expect(await readLabelledSets(folder)).toEqual({
      sentiment: [
        { name: "a", rows: [{ text: "It is blue", label: "neutral" }] },
        {
          name: "b",
          rows: [
            { text: "Fine", label: "positive" },
            { text: "Broken", label: "negative" },
          ],
        },
      ],
      categories: [{ name: "c", rows: [{ text: "Slow", labels: ["performance"], scope: ["performance", "bug"] }] }],
    });
  });

  it.each([
    ['{"text": "Fine", "label": "great"}', 'look at "label"'],
    ['{"text": "Fine", "label": "great"}', "A label is one of positive, negative, neutral."],
    ['{"label": "positive"}', 'look at "text"'],
    ["Fine, positive", "is not a labelled text"],
  ])("says what is wrong with a line: %s", async (line, message) => {
    const folder = folderWith({ "sentiment/a.jsonl": `{"text": "Fine", "label": "positive"}\n${line}\n` });
    await expect(readLabelledSets(folder)).rejects.toThrow('Line 2 of "sentiment/a.jsonl"');
    await expect(readLabelledSets(folder)).rejects.toThrow(message);
  });

  it("does not take a byte order mark for a part of the first text", async () => {
    const folder = folderWith({ "sentiment/a.jsonl": '\uFEFF{"text": "Fine", "label": "positive"}' });
    expect((await readLabelledSets(folder)).sentiment[0]?.rows).toEqual([{ text: "Fine", label: "positive" }]);
  });

  it.each([
    ['{"text": "Late", "labels": ["servise"]}', "servise"],
    ['{"text": "Late", "labels": ["service"], "scope": ["service", "bug|delay"]}', "bug|delay"],
  ])("names an unknown category: %s", async (line, name) => {
    const folder = folderWith({ "categories/a.jsonl": line });
    await expect(readLabelledSets(folder)).rejects.toThrow(`There is no category "${name}"`);
  });

  it.each([
    [
      '{"text": "Late", "labels": ["service", "bug"], "scope": ["service"]}',
      'Not in the scope, or spelled differently there: "bug".',
    ],
    [
      '{"text": "Late", "labels": ["bug"], "scope": ["bug|performance"]}',
      'Not in the scope, or spelled differently there: "bug".',
    ],
    ['{"text": "Late", "labels": [], "scope": []}', "A scope needs at least one category"],
  ])("refuses labels that could never count: %s", async (line, message) => {
    const folder = folderWith({ "categories/a.jsonl": `{"text": "Fine", "labels": []}\n${line}` });
    await expect(readLabelledSets(folder)).rejects.toThrow('Line 2 of "categories/a.jsonl"');
    await expect(readLabelledSets(folder)).rejects.toThrow(message);
  });

  const utf16 = (): Buffer => Buffer.from('\uFEFF{"text": "Fine", "label": "positive"}', "utf16le");

  it.each<[string, () => Buffer]>([
    ["UTF-16, little endian", utf16],
    ["UTF-16, big endian", () => utf16().swap16()],
    ["Latin-1", () => Buffer.from('{"text": "Nice caf\u00E9", "label": "positive"}', "latin1")],
  ])("reports a file that is not in UTF-8 (%s)", async (_, bytes) => {
    const folder = folderWith({ "sentiment/a.jsonl": bytes() });
    await expect(readLabelledSets(folder)).rejects.toThrow(
      'The file "sentiment/a.jsonl" is not in UTF-8. Save it as UTF-8.',
    );
  });

  it("accepts a label that two categories satisfy", async () => {
    const row = { text: "It hangs", labels: ["bug|performance"] };
    const folder = folderWith({ "categories/a.jsonl": JSON.stringify(row) });
    expect((await readLabelledSets(folder)).categories[0]?.rows).toEqual([row]);
  });

  it("says so if a file is named instead of the folder", async () => {
    const folder = folderWith({ "sentiment/a.jsonl": "{}" });
    await expect(readLabelledSets(join(folder, "sentiment/a.jsonl"))).rejects.toThrow('"a.jsonl" is a file');
  });

  it("says what is missing in a folder without texts", async () => {
    await expect(readLabelledSets(temporaryFolder())).rejects.toMatchObject({ code: "no_labelled_texts" });
  });
});

describe("a row of categories", () => {
  const rows = withScopes([
    { text: "", labels: ["bug"] },
    { text: "", labels: ["service", "billing|pricing"] },
    { text: "", labels: [], scope: ["legal"] },
  ]);

  it("covers every label of its set if it has no scope", () => {
    const everyLabel = ["bug", "service", "billing|pricing"];
    expect(rows.map(({ scope }) => scope)).toEqual([everyLabel, everyLabel, ["legal"]]);
  });

  it.each([
    ["bug", ["yes", "no", undefined]],
    ["pricing", ["no", "maybe", undefined]],
    ["legal", [undefined, undefined, "no"]],
  ])("says of %s: %j", (category, said) => {
    expect(rows.map((row) => labelOf(row, category))).toEqual(said);
  });

  it("is labelled yes if one label names the category, even if another label may mean it, too", () => {
    const [row] = withScopes([{ text: "", labels: ["bug|service", "bug"] }]);
    expect(labelOf(row!, "bug")).toBe("yes");
  });
});
