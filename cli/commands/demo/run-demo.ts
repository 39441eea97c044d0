import { readdir } from "node:fs/promises";
import { openApplication } from "../../../src/application/application.ts";
import { loggerFor } from "../../settings.ts";
import { BatchSummary, type RowResult } from "../batch/summary.ts";
import type { QueryAnswer } from "../../../src/ontology/query-runner.ts";
import { withPrefixes } from "../../../src/ontology/vocabulary.ts";
import { outboxFolder } from "../../../src/application/parts.ts";
import { readSettings, type Settings } from "../../../src/application/settings.ts";
import type { AgentAnswer, AskOptions } from "../../../agents/index.ts";
import { createChatModel } from "../../../agents/chat-model.ts";
import type { ChatModelSettings } from "../../../src/chat-completions/open-chat-model.ts";
import { createFeedbackAgent, type FeedbackAgent } from "../../../agents/feedback-agent.ts";
import { sampleFile } from "../../../src/runtime/package-root.ts";
import { QUESTION } from "./question.ts";
import { REQUESTS } from "./requests.ts";
import { sampleFeedback } from "./sample-feedback.ts";

export interface DemoOptions {
  directory: string;
  /** The language model that answers; default: the offline model. */
  chatModel: ChatModelSettings | undefined;
  signal: AbortSignal;
}

/** Shows the demo while it runs. */
export interface DemoView {
  request(text: string): AskOptions;
  answer(answer: AgentAnswer): void;
  results(results: readonly RowResult[]): void;
  end(report: DemoReport): void | Promise<void>;
}

export interface DemoReport {
  outbox: string;
  /** Covers the agent's requests and the sample file. */
  summary: BatchSummary;
  /** Emails in the outbox before and after. */
  mailsBefore: number;
  mailsAfter: number;
  learned: QueryAnswer;
}

/** Ignores the environment, because a demo must not send email to real customers. */
const demoSettings = (directory: string): Settings =>
  readSettings({ dataDirectory: directory, customerSource: sampleFile("customers.csv"), logLevel: "error" }, {});

/** The whole demo: the agent's requests, then the file, then a question to the graph. */
export async function runDemo({ directory, chatModel, signal }: DemoOptions, view: DemoView): Promise<void> {
  const settings = demoSettings(directory);
  const outbox = outboxFolder(settings) ?? "";
  const mailsBefore = await countMails(outbox);
  const application = await openApplication(settings, loggerFor(settings));
  const { workflow, ontologyStore } = application;
  const summary = new BatchSummary();
  let agent: FeedbackAgent | undefined;
  try {
    agent = await createFeedbackAgent({ tools: workflow.as_tools(), model: await createChatModel(chatModel) });
    for (const text of REQUESTS) {
      const answer = await agent.ask(text, { ...view.request(text), signal });
      for (const { name, artifact } of answer.toolCalls) {
        // The text tools store nothing.
        if (name === "process_customer_feedback") summary.add({ line: 0, ...(artifact as { success: boolean }) });
      }
      view.answer(answer);
    }
    const results: RowResult[] = [];
    for await (const result of workflow.runBatch(sampleFeedback(), { signal })) {
      const row = { line: results.length + 1, ...result };
      results.push(row);
      summary.add(row);
    }
    view.results(results);
    const sparql = withPrefixes(QUESTION.sparql);
    const learned = await ontologyStore.queryRunner.run({ store: "feedback_data", sparql, signal });
    await view.end({ outbox, summary, mailsBefore, mailsAfter: await countMails(outbox), learned });
  } finally {
    await agent?.close();
    await application.close();
  }
}

const countMails = async (outbox: string): Promise<number> =>
  (await readdir(outbox).catch(() => [])).filter((name) => name.endsWith(".eml")).length;
