import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OpenWorkflowEngine, OxigraphOntologyStore } from "../../src/index.ts";
import { graphLines } from "../../testing/index.ts";
import { startSmtpServer } from "../support/smtp.ts";
import { customersCsv } from "./items.ts";
import { TicketCounter } from "./ticket-counter.ts";

const MAIL_STEPS = new Set(["response_sent", "acknowledgment_sent"]);

/** What is left of a run, seen from outside its processes. */
export interface Trace {
  /** By subject, which is the feedback's id. */
  mails: { key: string; identity: string }[];
  tickets: { key: string; identity: string }[];
  ticketRepetitions: number;
  /** Ids of the feedback whose run is complete. */
  completed: string[];
  /** Feedback → how many processes died while they sent its mail. */
  windows: Map<string, number>;
  graph: string[];
}

/** A folder, a mail server and a ticket system for one run; `perform` has the processes do the work. */
export async function trial(
  folder: string,
  count: number,
  perform: (script: { script: URL; args: string[] }) => Promise<unknown>,
): Promise<Trace> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "customers.csv"), customersCsv());
  await using smtp = await startSmtpServer();
  await using tickets = await new TicketCounter().listen();
  const script = new URL("feedback-process.ts", import.meta.url);
  await perform({ script, args: [folder, smtp.url(), tickets.url, String(count)] });
  return {
    mails: smtp.mails.map(({ parsed: { subject, messageId } }) => ({
      key: subject?.replace(/^RE: /, "") ?? "",
      identity: messageId ?? "",
    })),
    tickets: tickets.tickets,
    ticketRepetitions: tickets.repetitions,
    ...(await runsOf(folder, count)),
    graph: await graphOf(folder),
  };
}

async function runsOf(folder: string, count: number): Promise<Pick<Trace, "completed" | "windows">> {
  const engine = new OpenWorkflowEngine({ path: join(folder, "runs.sqlite"), worker: false });
  const runs = await engine.list({ status: "completed", limit: 2 * count });
  const windows = new Map<string, number>();
  for (const { id, key } of runs) {
    const sendings = (await engine.history(id)).filter(({ step }) => MAIL_STEPS.has(step));
    windows.set(key, sendings.filter(({ status }) => status === "running").length);
  }
  await engine.close();
  return { completed: runs.map(({ key }) => key), windows };
}

async function graphOf(folder: string): Promise<string[]> {
  const store = await OxigraphOntologyStore.open({ path: join(folder, "ontology.sqlite") });
  const quads = (await Promise.all((await store.listStores()).map((name) => store.getGraph(name)))).flat();
  await store.close();
  return graphLines(quads, (value) => /(?:^|\/)workflow-[0-9a-f-]{36}$/.test(value));
}
