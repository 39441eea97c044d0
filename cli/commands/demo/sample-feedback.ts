import { createReadStream } from "node:fs";
import { readJsonLines } from "../../../src/row-file/json-lines.ts";
import { sampleFile } from "../../../src/runtime/package-root.ts";

/** The sample feedback that ships with the package, ready to be submitted. */
export async function* sampleFeedback(): AsyncGenerator {
  for await (const { values } of readJsonLines(createReadStream(sampleFile("feedback.jsonl")), 0)) yield values;
}
