// What people, programs and pages do to the service at the same time, each over a separate
// connection, and what they were promised.
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { editedText, feedbackItem, numberOf } from "./items.ts";

export const TOKEN = "everybody-0123456789abcdef";

/** When this many pieces of feedback wait for a person, no more are submitted. */
const MAX_WAITING = 200;
/** Delay before a request that got no connection is repeated. Milliseconds. */
const AGAIN_MS = 100;

export type Verdict = "approve" | "edit" | "reject";

/** What a person decides on the `n`th feedback. */
export const verdictFor = (n: number): Verdict => ({ 3: "reject", 7: "edit" } as const)[n % 10] ?? "approve";

/** Whether an email is written about the `n`th feedback at all. */
export function isAnswered(n: number): boolean {
  const { customer_id, send_response } = feedbackItem(n);
  return send_response && Number(customer_id.slice("C-".length)) % 11 !== 0;
}

/** What the service has acknowledged, and how often it was called. */
export class Promises {
  /** Maps feedback to the way it was submitted. */
  readonly submitted = new Map<string, string>();
  readonly runs = new Map<string, string>();
  /** Maps feedback to the decision and the rendering that was decided on. */
  readonly decided = new Map<string, { decision: Verdict; rendering: string }>();
  /** Maps feedback to the response that was recorded for it. */
  readonly responses = new Map<string, string>();
  readonly requests = new Map<string, number>();
  /** Streams that were followed to the end of their run, and how often they were restarted. */
  streams = 0;
  resumed = 0;
  broken = 0;
  readonly faults: string[] = [];
  #next = 0;

  get next(): number {
    return this.#next++;
  }

  /** The number of promises so far. */
  get count(): number {
    return this.submitted.size + this.decided.size + this.responses.size;
  }

  get waiting(): number {
    let answered = 0;
    for (const id of this.submitted.keys()) if (isAnswered(numberOf(id))) answered += 1;
    return answered - this.decided.size;
  }
}

interface Answer {
  status: number;
  body: string;
}

interface Call {
  kind: string;
  method?: string;
  path: string;
  body?: string;
  headers?: Record<string, string>;
}

/** One client with one connection, which stays open as long as the service lives. */
class Connection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  readonly #promises: Promises;

  constructor(port: number, promises: Promises) {
    this.#port = port;
    this.#promises = promises;
  }

  /**
   * Repeats until there is an answer, perhaps from a later life of the service; 5xx and 429 don't
   * count as answers.
   */
  async ask(call: Call): Promise<Answer> {
    for (;;) {
      try {
        const response = await this.open(call);
        const answer = { status: response.statusCode ?? 0, body: await text(response) };
        if (answer.status < 500 && answer.status !== 429) return answer;
      } catch {
        this.#promises.broken += 1;
      }
      await sleep(AGAIN_MS);
    }
  }

  open({ kind, method = "GET", path, body, headers = {} }: Call): Promise<IncomingMessage> {
    const { requests } = this.#promises;
    requests.set(kind, (requests.get(kind) ?? 0) + 1);
    return new Promise((resolve, reject) => {
      const sending = httpRequest(
        {
          host: "127.0.0.1",
          port: this.#port,
          agent: this.#agent,
          method,
          path,
          headers: {
            authorization: `Bearer ${TOKEN}`,
            ...(body !== undefined && {
              "content-type": "application/json",
              "content-length": Buffer.byteLength(body),
            }),
            ...headers,
          },
        },
        resolve,
      );
      sending.on("error", reject);
      sending.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** What one client does over and over; returns false if it has nothing to do at the moment. */
type Work = (connection: Connection, promises: Promises, claimed: Set<string>) => Promise<boolean>;

const parsed = ({ body }: Answer): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>;

const post = (kind: string, path: string, body: object, headers: Record<string, string> = {}): Call => ({
  kind,
  method: "POST",
  path,
  body: JSON.stringify(body),
  headers,
});

function accept(promises: Promises, way: string, id: string, answer: Answer): void {
  if (answer.status >= 300) {
    promises.faults.push(`${way} ${id}: ${answer.status} ${answer.body}`);
    return;
  }
  promises.submitted.set(id, way);
  const { workflow_id: run } = parsed(answer);
  if (typeof run === "string") promises.runs.set(id, run);
}

const isFull = ({ waiting }: Promises): boolean => waiting > MAX_WAITING;

const submit: Work = async (connection, promises) => {
  if (isFull(promises)) return false;
  const n = promises.next;
  const item = feedbackItem(n);
  // Some wait for the result as long as possible.
  const headers = n % 4 === 0 ? { prefer: "wait=5" } : {};
  const call = post("submissions", "/workflows/customer-feedback", item, headers);
  accept(promises, "submission", item.feedback_id, await connection.ask(call));
  // A client that does not trust the answer.
  if (n % 9 === 0) accept(promises, "submission", item.feedback_id, await connection.ask(call));
  return true;
};

const sendEvent: Work = async (connection, promises) => {
  if (isFull(promises)) return false;
  const { feedback_id: id, feedback_text: words, ...rest } = feedbackItem(promises.next);
  const event = { type: "new_feedback", data: { id, text: words, ...rest } };
  accept(promises, "event", id, await connection.ask(post("events", "/events", event)));
  return true;
};

const BATCH = 8;

/** Repeats the whole batch if it was cut off: items without a result were not acknowledged. */
const sendBatch: Work = async (connection, promises) => {
  if (isFull(promises)) return false;
  const items = Array.from({ length: BATCH }, () => feedbackItem(promises.next));
  const body = items.map((item) => `${JSON.stringify(item)}\n`).join("");
  const headers = { "content-type": "application/jsonl" };
  const call = { kind: "batches", method: "POST", path: "/workflows/customer-feedback/batch", body, headers };
  for (;;) {
    const lines = (await connection.ask(call)).body.split("\n").filter((line) => line !== "");
    const results = lines.map((line) => JSON.parse(line) as { feedback_id?: string; success: boolean });
    for (const { feedback_id: id, success } of results) if (success && id) promises.submitted.set(id, "batch");
    if (items.every(({ feedback_id: id }) => promises.submitted.has(id))) return true;
    await sleep(AGAIN_MS);
  }
};

const decide: Work = async (connection, promises, claimed) => {
  const { runs = [] } = parsed(await connection.ask({ kind: "approval lists", path: "/approvals?limit=100" })) as {
    runs?: { workflow_id: string }[];
  };
  const free = runs.filter(({ workflow_id: id }) => !claimed.has(id)).slice(0, 10);
  for (const { workflow_id: id } of free) claimed.add(id);
  for (const { workflow_id: id } of free) {
    const shown = await connection.ask({ kind: "approvals shown", path: `/approvals/${id}` });
    const { rendering, feedback_id: feedbackId } = parsed(shown) as { rendering?: string; feedback_id?: string };
    if (rendering === undefined || feedbackId === undefined) {
      promises.faults.push(`nothing waits at ${id}: ${shown.status} ${shown.body}`);
      continue;
    }
    const decision = verdictFor(numberOf(feedbackId));
    const more = { approve: {}, edit: { text: editedText(feedbackId) }, reject: { reason: "They have called." } };
    const call = post("decisions", `/approvals/${id}/${decision}`, { rendering, ...more[decision] });
    const answer = await connection.ask(call);
    if (answer.status >= 300) promises.faults.push(`${decision} ${feedbackId}: ${answer.status} ${answer.body}`);
    else promises.decided.set(feedbackId, { decision, rendering });
  }
  return free.length > 0;
};

/** Chooses feedback that was decided on, because its run has already stored it. */
const respond: Work = async (connection, promises) => {
  const id = [...promises.decided.keys()].findLast((known) => !promises.responses.has(known));
  if (id === undefined) return false;
  const words = `Answered by telephone: ${id}`;
  const event = { type: "feedback_response", data: { feedback_id: id, response_text: words } };
  const answer = await connection.ask(post("responses", "/events", event));
  if (answer.status >= 300) promises.faults.push(`response ${id}: ${answer.status} ${answer.body}`);
  promises.responses.set(id, words);
  return true;
};

const read: Work = async (connection, promises) => {
  const [id, run] = [...promises.runs].at(-1 - Math.floor(Math.random() * 50)) ?? [];
  const paths = [
    "/runs?limit=50",
    "/runs?status=waiting_for_approval&limit=20",
    "/readyz",
    ...(id === undefined ? [] : [`/workflows/customer-feedback/${id}`, `/runs/${run}`, `/runs/${run}/history`]),
  ];
  for (const path of paths) {
    const { status, body } = await connection.ask({ kind: "reads", path });
    if (status !== 200) promises.faults.push(`read ${path}: ${status} ${body}`);
  }
  return true;
};

/**
 * Follows a run to its end; in each life of the service, continues after the last event of the
 * previous one.
 */
const follow: Work = async (connection, promises, claimed) => {
  const [, run] = [...promises.runs].findLast(([, id]) => !claimed.has(`stream ${id}`)) ?? [];
  if (run === undefined) return false;
  claimed.add(`stream ${run}`);
  const ids: number[] = [];
  for (let isOver = false; !isOver;) {
    let said = "";
    try {
      const after = ids.at(-1);
      const headers: Record<string, string> = after === undefined ? {} : { "last-event-id": String(after) };
      const stream = await connection.open({ kind: "streams", path: `/runs/${run}/events`, headers });
      for await (const part of stream.setEncoding("utf8")) said += part as string;
      isOver = (stream.statusCode ?? 500) < 500;
    } catch {
      promises.resumed += 1;
      await sleep(AGAIN_MS);
    }
    // Only complete events count: a partial one is sent again.
    ids.push(...Array.from(said.matchAll(/^id: (\d+)\nevent: .*\ndata: .*\n\n/gm), ([, id]) => Number(id)));
  }
  promises.streams += 1;
  const isInOrder = ids.length > 0 && ids.every((id, index) => index === 0 || id > ids[index - 1]!);
  if (!isInOrder) promises.faults.push(`events of ${run} missing or out of order: ${ids.join()}`);
  return true;
};

/** Which share of the clients does what. */
const SHARES: readonly (readonly [share: number, work: Work, isSubmitting: boolean])[] = [
  [16, submit, true],
  [8, sendEvent, true],
  [4, sendBatch, true],
  [16, decide, false],
  [4, respond, false],
  [12, read, false],
  [4, follow, false],
];

export const CONNECTIONS = SHARES.reduce((sum, [share]) => sum + share, 0);

/**
 * Runs all clients at once: until they should submit no more, and then until nothing is left to
 * decide.
 */
export async function keepBusy(
  port: number,
  promises: Promises,
  { submitting, all }: { submitting: AbortSignal; all: AbortSignal },
): Promise<void> {
  const claimed = new Set<string>();
  const work = async (job: Work, until: AbortSignal): Promise<void> => {
    const connection = new Connection(port, promises);
    while (!until.aborted) if (!(await job(connection, promises, claimed))) await sleep(AGAIN_MS);
    connection.close();
  };
  await Promise.all(
    SHARES.flatMap(([share, job, isSubmitting]) =>
      Array.from({ length: share }, () => work(job, isSubmitting ? submitting : all)),
    ),
  );
}
