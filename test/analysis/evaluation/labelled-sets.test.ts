import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readLabelledSets } from "../../../src/analysis/evaluation/labelled-sets.ts";
import { temporaryFolder } from "../../support/folder.ts";

function folderWith(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  return folder;
}

describe("readLabelledSets", () => {
  it("reads both questions, in the order of the files' names", async () => {
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
    ['{"label": "positive"}', 'look at "text"'],
    ["Fine, positive", "is not a labelled text"],
  ])("says where a line is wrong: %s", async (line, message) => {
    const folder = folderWith({ "sentiment/a.jsonl": `{"text": "Fine", "label": "positive"}\n${line}\n` });
    await expect(readLabelledSets(folder)).rejects.toThrow('Line 2 of "a.jsonl"');
    await expect(readLabelledSets(folder)).rejects.toThrow(message);
  });

  it("says what is missing in a folder without texts", async () => {
    await expect(readLabelledSets(temporaryFolder())).rejects.toMatchObject({ code: "no_labelled_texts" });
  });
});
