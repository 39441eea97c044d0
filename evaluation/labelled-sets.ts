import { isUtf8 } from "node:buffer";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { IoError, ValidationError } from "../src/errors.ts";
import { CATEGORIES } from "../src/analysis/categories.ts";
import { SENTIMENTS } from "../src/analysis/sentiment-analyzer.ts";

const SentimentRow = z.object({
  text: z.string(),
  label: z.enum(SENTIMENTS, { error: `A label is one of ${SENTIMENTS.join(", ")}.` }),
});

const KNOWN = new Set<string>(CATEGORIES);

/** A category, or several, any of which is right: `bug|performance`. */
const CategoryLabel = z.string().refine((label) => categoriesOf(label).every((name) => KNOWN.has(name)), {
  error: ({ input }) => `There is no category "${String(input)}". The categories are ${CATEGORIES.join(", ")}.`,
});

const CategoryRow = z
  .object({
    text: z.string(),
    labels: z.array(CategoryLabel),
    /**
     * The categories that this source annotates; nothing else is scored. Absent: every label in the
     * set.
     */
    scope: z
      .array(CategoryLabel)
      .refine(
        (scope) => scope.length > 0,
        "A scope needs at least one category. To score every label in the set, leave the scope out.",
      )
      .optional(),
  })
  .superRefine(({ labels, scope }, context) => {
    const outside = scope && labels.filter((label) => !scope.includes(label));
    if (!outside?.length) return;
    const message = `Not in the scope, or spelled differently there: ${outside.map((label) => `"${label}"`).join(", ")}.`;
    context.addIssue({ code: "custom", path: ["labels"], message });
  });

export type SentimentRow = z.output<typeof SentimentRow>;
export type CategoryRow = z.output<typeof CategoryRow>;

/** A row with a scope. */
export type ScopedRow = CategoryRow & { scope: string[] };

/** The rows of one set. A row without a scope gets every label of the set. */
export function withScopes(rows: readonly CategoryRow[]): ScopedRow[] {
  const everyLabel = [...new Set(rows.flatMap(({ labels }) => labels))];
  return rows.map((row) => ({ ...row, scope: row.scope ?? everyLabel }));
}

/** The categories that satisfy a label: `a` and `b` for `a|b`, otherwise the label itself. */
export const categoriesOf = (label: string): string[] => label.split("|");

/**
 * What a row says about one category: the text is about it, may be about it (labelled `a|b`), or is
 * not; undefined if it is out of scope.
 */
export function labelOf({ labels, scope }: ScopedRow, category: string): "yes" | "maybe" | "no" | undefined {
  if (labels.includes(category)) return "yes";
  const has = (list: readonly string[]): boolean => list.some((label) => categoriesOf(label).includes(category));
  if (has(labels)) return "maybe";
  return has(scope) ? "no" : undefined;
}

/** Texts of one source, labelled by people. */
export interface LabelledSet<Row> {
  /** The file's name without its ending. */
  name: string;
  rows: Row[];
}

export interface LabelledSets {
  sentiment: LabelledSet<SentimentRow>[];
  categories: LabelledSet<CategoryRow>[];
}

/**
 * Reads labelled texts. Each line of `<folder>/sentiment/*.jsonl` has `{"text", "label"}`, each
 * line of `<folder>/categories/*.jsonl` has `{"text", "labels", "scope"?}`. If there is a scope, it
 * must have each label in the same spelling: `a|b` only matches `a|b`. One of the two folders may
 * be missing. Sets are in the order of the files' names; empty files are left out.
 * @throws ValidationError for a line that is wrong, or if there are no labelled texts; IoError if a
 *   file can't be read
 */
export async function readLabelledSets(folder: string): Promise<LabelledSets> {
  const found = await stat(folder).catch((cause: unknown) => {
    throw new ValidationError(`There is no folder "${basename(folder)}".`, { code: "no_labelled_texts", cause });
  });
  if (!found.isDirectory()) {
    throw new ValidationError(
      `"${basename(folder)}" is a file. Name the folder that has sentiment/*.jsonl and categories/*.jsonl below it.`,
      { code: "no_labelled_texts" },
    );
  }
  const sentiment = await readSets(join(folder, "sentiment"), SentimentRow);
  const categories = await readSets(join(folder, "categories"), CategoryRow);
  if (sentiment.length + categories.length === 0) {
    throw new ValidationError(
      `The folder "${basename(folder)}" has no labelled texts. It must have them in sentiment/*.jsonl and ` +
        "categories/*.jsonl.",
      { code: "no_labelled_texts" },
    );
  }
  return { sentiment, categories };
}

async function readSets<Schema extends z.ZodType>(
  folder: string,
  schema: Schema,
): Promise<LabelledSet<z.output<Schema>>[]> {
  const sets: LabelledSet<z.output<Schema>>[] = [];
  for (const name of await jsonLinesFiles(folder)) {
    const file = `${basename(folder)}/${name}`;
    const bytes = await readFile(join(folder, name)).catch((cause: unknown) => {
      throw new IoError(`The file "${file}" can't be read.`, { code: "file_unreadable", cause });
    });
    const rows = decode(bytes, file)
      .split("\n")
      .flatMap((line, at) => (line.trim() === "" ? [] : [readRow(line, schema, file, at + 1)]));
    if (rows.length > 0) sets.push({ name: name.slice(0, -".jsonl".length), rows });
  }
  return sets;
}

function decode(bytes: Buffer, file: string): string {
  if (!isUtf8(bytes)) {
    throw new ValidationError(`The file "${file}" is not in UTF-8. Save it as UTF-8.`, {
      code: "invalid_labelled_text",
    });
  }
  return bytes.toString("utf8").replace(/^\uFEFF/u, "");
}

async function jsonLinesFiles(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return [];
    throw new IoError(`The folder "${basename(folder)}" can't be read.`, { code: "folder_unreadable", cause });
  });
  return files.filter((file) => file.endsWith(".jsonl")).toSorted();
}

function readRow<Schema extends z.ZodType>(
  line: string,
  schema: Schema,
  file: string,
  number: number,
): z.output<Schema> {
  const result = schema.safeParse(parseJson(line));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.join(".") ?? "";
  const what = issue?.code === "custom" || issue?.code === "invalid_value" ? ` ${issue.message}` : "";
  throw new ValidationError(
    `Line ${number} of "${file}" is not a labelled text${where === "" ? "" : `: look at "${where}"`}.${what} ` +
      'Sentiment needs {"text", "label"}, categories {"text", "labels"}.',
    { code: "invalid_labelled_text" },
  );
}

/** For invalid JSON, returns undefined, which no row schema accepts. */
function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
