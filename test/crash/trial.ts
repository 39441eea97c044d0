import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { graphLines } from "../../testing/index.ts";
import type { CrashScript } from "../../testing/crash/run-process.ts";
import { PREFIXES } from "../../src/index.ts";
import { select } from "../../src/ontology/queries.ts";
import { renderingOf } from "../../src/workflows/customer-feedback/responses/response-drafts.ts";
import { startSmtpServer, type ReceivedMail } from "../support/smtp.ts";
import { customersCsv } from "./items.ts";
import { openGraph, openRuns, PLACES, type Place, type PlaceName } from "./place.ts";
import { TicketCounter } from "./ticket-counter.ts";

const MAIL_STEPS = new Set(["response_sent", "acknowledgment_sent"]);

/** The result of a run, seen from outside its processes. */
export interface Trace {
  /** By subject, which is the feedback's id. */
  mails: { key: string; identity: string; rendering: string; text: string }[];
  /** The decisions on feedback, and the rendering that must be sent. */
  decisions: { key: string; decision: string; agreed: string | undefined }[];
  tickets: { key: string; identity: string }[];
  ticketRepetitions: number;
  /** Ids of feedback whose run has completed. */
  completed: string[];
  /** Maps feedback to the number of processes that died while they sent its email. */
  windows: Map<string, number>;
  graph: string[];
}

/**
 * The processes to run and, if the runs are on a server that can be killed, how to kill and restart
 * it.
 */
export type TrialScript = CrashScript & Pick<Place, "restart">;

/**
 * A place, a mail server and a ticket system for one run; `perform` makes the processes do the
 * work.
 */
export async function trial(
  on: PlaceName,
  count: number,
  perform: (script: TrialScript) => Promise<unknown>,
): Promise<Trace> {
  const folder = mkdtempSync(join(tmpdir(), "abi-workflows-crash-"));
  try {
    return await trialIn(folder, on, count, perform);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const trialIn = async (folder: string, ...[on, count, perform]: Parameters<typeof trial>): Promise<Trace> => {
  writeFileSync(join(folder, "customers.csv"), customersCsv());
  await using place = await PLACES[on](folder);
  await using smtp = await startSmtpServer();
  await using tickets = await new TicketCounter().listen();
  const { runs, graph, workers, restart } = place;
  const script = new URL("feedback-process.ts", import.meta.url);
  const args = [runs, graph, folder, smtp.url(), tickets.url, String(count)];
  await perform({ script, args, workers, ...(restart && { restart }) });
  return {
    mails: smtp.mails.map(receipt),
    tickets: tickets.tickets,
    ticketRepetitions: tickets.repetitions,
    ...(await runsOf(runs, count)),
    ...(await graphOf(graph)),
  };
};

/** The email as received, and with the rendering that a person must have approved. */
export function receipt({ envelope, parsed }: ReceivedMail): Trace["mails"][number] {
  const { subject = "", messageId = "", text = "", html } = parsed;
  const from = parsed.from?.text ?? "";
  const message = { from, to: envelope.to.join(), subject, messageId, text, html: html || "", headers: {} };
  return { key: subject.replace(/^RE: /, ""), identity: messageId, rendering: renderingOf({ message }), text };
}

export async function runsOf(location: string, count: number): Promise<Pick<Trace, "completed" | "windows">> {
  const engine = await openRuns(location);
  const completed = await engine.list({ status: "completed", limit: 2 * count });
  const windows = new Map<string, number>();
  for (const { id, key } of completed) {
    const sendings = (await engine.history(id)).filter(({ step }) => MAIL_STEPS.has(step));
    windows.set(key, sendings.filter(({ status }) => status === "died").length);
  }
  await engine.close();
  return { completed: completed.map(({ key }) => key), windows };
}

const DECISIONS = `${PREFIXES} SELECT ?key ?decision ?shown ?edited WHERE {
  ?feedback abi:id ?key ; abi:hasDraft ?draft . ?draft abi:id ?shown .
  ?activity prov:used ?draft ; abi:decision ?decision .
  OPTIONAL { ?other prov:wasGeneratedBy ?activity ; abi:id ?edited } }`;

async function graphOf(location: string): Promise<Pick<Trace, "graph" | "decisions">> {
  const store = await openGraph(location);
  const rows = await select(store, "feedback_data", DECISIONS);
  const decisions = rows.map(({ key, decision, shown, edited }) => ({
    key: key!.value,
    decision: decision!.value,
    agreed: decision!.value === "reject" ? undefined : (edited ?? shown)!.value,
  }));
  const quads = (await Promise.all((await store.listStores()).map((name) => store.getGraph(name)))).flat();
  await store.close();
  const graph = graphLines(quads, (value) => /(?:^|\/)workflow-[0-9a-f-]{36}$/.test(value));
  return { graph, decisions };
}
