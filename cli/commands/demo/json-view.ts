import type { RowResult } from "../batch/summary.ts";
import { printJson } from "../../terminal/output.ts";
import { writeJsonResults } from "../../../src/ontology/sparql/json-results.ts";
import { QUESTION } from "./question.ts";
import type { DemoView } from "./run-demo.ts";

/** The demo's output as JSON: one object at the end. */
export function jsonView(directory: string): DemoView {
  const requests: { request: string; answer: string; tool_calls: object[] }[] = [];
  let feedback: readonly RowResult[] = [];
  return {
    request: (request) => {
      requests.push({ request, answer: "", tool_calls: [] });
      return {};
    },
    answer: ({ text, toolCalls }) => {
      const tool_calls = toolCalls.map(({ name, args, artifact, content }) => ({
        name,
        args,
        result: artifact ?? content,
      }));
      Object.assign(requests.at(-1) ?? {}, { answer: text, tool_calls });
    },
    results: (results) => {
      feedback = results;
    },
    end: ({ outbox, summary, mailsBefore, mailsAfter, learned }) =>
      printJson({
        directory,
        outbox,
        requests,
        feedback,
        summary: summary.toJson(outbox),
        mails_before: mailsBefore,
        mails_after: mailsAfter,
        question: { sparql: QUESTION.sparql, answer: writeJsonResults(learned) },
      }),
  };
}
