import { relative } from "node:path";
import type { RowResult } from "../batch/summary.ts";
import { tally } from "../batch/summary.ts";
import { host } from "../../terminal/host.ts";
import {
  bold,
  count,
  truncated,
  dim,
  escapedText,
  oneLine,
  outputWidth,
  plural,
  print,
  styled,
  wrapped,
} from "../../terminal/output.ts";
import { withoutAbsent } from "../../../src/json.ts";
import { answerText } from "../../query-result.ts";
import { fields, isWaiting, judgedText, sentimentText } from "../../result-view.ts";
import { table } from "../../terminal/table.ts";
import { SIGNATURE } from "../../../agents/offline-chat-model/phrases.ts";
import { callText, resultText } from "../chat/conversation.ts";
import { QUESTION } from "./question.ts";
import type { DemoReport, DemoView } from "./run-demo.ts";

const COLUMNS = [
  { title: "feedback" },
  { title: "customer" },
  { title: "sentiment" },
  { title: "categories", flexible: true },
  { title: "action" },
  { title: "email or ticket", flexible: true },
];
/** Marks feedback that was processed before, in this demo or an earlier one. */
const AGAIN = "↺";
const ACTION_COLORS: ReadonlyMap<string, "magenta" | "red"> = new Map([
  ["escalate", "magenta"],
  ["refused", "red"],
]);

const indented = (text: string): string =>
  escapedText(text)
    .split("\n")
    .map((line) => wrapped(line, 2, outputWidth() - 2))
    .join("\n  ");

const heading = (text: string): void => print(`\n${bold(text)}`);

/** The demo for people. */
export function terminalView(directory: string, model: string | undefined): DemoView {
  print(bold("abi-workflows demo"));
  print(dim(model === undefined ? "offline model: fixed rules, no key, no server" : `model ${oneLine(model)}`));
  print(dim(`everything is stored in ${shown(directory)}`));
  heading("An agent answers written requests");
  return {
    request: (text) => {
      print(`\n${styled("cyan", "❯")} ${indented(text)}`);
      return {
        onToolStart: (call) => print(dim(truncated(`  → ${callText(call)}`, outputWidth()))),
        onToolEnd: (call) => print(dim(truncated(`    ${resultText(call)}`, outputWidth()))),
      };
    },
    answer: ({ text }) => {
      // The first lines have already said which model it is.
      print(`  ${indented(text.replace(SIGNATURE, "").trim())}`);
    },
    results: (results) => {
      heading(`A file with ${plural(results.length, "piece")} of feedback`);
      print();
      print(table(COLUMNS, results.map(cells), paint));
      if (results.some(({ duplicate }) => duplicate)) print(dim(`\n${AGAIN} processed before: nothing was done twice`));
      print(dim("\nRefused, as they should be:"));
      for (const reason of reasons(results)) print(`  ${styled("red", "✗")} ${reason}`);
    },
    end: showEnd,
  };
}

function cells(result: RowResult): string[] {
  const { feedback_id = "", customer_id = "", categories = [], action = "" } = result;
  if (!result.success) return [feedback_id, customer_id, "", "", "refused", result.error_code ?? ""];
  return [feedback_id, customer_id, sentimentCell(result), categories.join(", "), action, reference(result)];
}

/** The sentiment without its score, because the table is already wide. */
const sentimentCell = ({ sentiment, doubtful, unreadable }: RowResult): string =>
  judgedText(withoutAbsent({ sentiment, doubtful, unreadable }));

function reference({ duplicate, ticket_id, response_id, response_withheld, status }: RowResult): string {
  const mail = isWaiting({ status }) ? "waits for approval" : response_id === undefined ? "" : "email";
  const parts = [duplicate === true ? AGAIN : "", ticket_id ?? "", mail, response_withheld ?? ""];
  return parts.filter((part) => part !== "").join(" ");
}

/** Why feedback was refused, one line each. */
function reasons(results: readonly RowResult[]): string[] {
  return results.flatMap(({ success, feedback_id = "", error = "" }) =>
    success ? [] : [wrapped(oneLine(`${feedback_id}: ${error}`), 4, outputWidth() - 4)],
  );
}

function paint(text: string): string {
  const color = ACTION_COLORS.get(text);
  return color === undefined ? sentimentText(text) : styled(color, text);
}

async function showEnd({ outbox, summary, mailsBefore, mailsAfter, learned }: DemoReport): Promise<void> {
  heading("Summary");
  const { processed, failed, duplicates, actions } = summary;
  print(
    fields([
      ["feedback", `${count(processed)} pieces, ${count(duplicates)} processed before, ${count(failed)} refused`],
      ["sentiment", summary.sentiment()],
      ["actions", tally(actions)],
      ["emails", summary.mails()],
      ["emails are in", `${shown(outbox)}  ${dim(`${count(mailsAfter)} .eml files`)}`],
      ["time", `${summary.seconds.toFixed(1)} s`],
    ]),
  );
  heading(QUESTION.title);
  print(dim(QUESTION.sparql.replaceAll(/^/gm, "  ")));
  print();
  print(await answerText(learned));
  print();
  const again = mailsBefore > 0;
  print(
    again
      ? `${styled("green", "✓")} Nothing was sent twice: ${plural(mailsBefore, "email")} before this run, ${count(mailsAfter)} now.`
      : dim(`Run it again: nothing will be sent twice. Use ${bold("--fresh")} to start over.`),
  );
}

/** Paths below the working directory in their short form. */
const shown = (path: string): string => {
  const short = relative(host().cwd(), path);
  return oneLine(short.startsWith("..") || short === "" ? path : short);
};
