import type * as Restate from "@restatedev/restate-sdk";
import { withoutAbsent } from "../../json.ts";
import { describeCause, silentLogger, type Logger } from "../../log.ts";
import { withPackages } from "../../runtime/optional-packages.ts";
import type { RunCounts } from "../engine.ts";
import { toCounts, type CountRow } from "../rows.ts";
import { publicId } from "../run-view.ts";
import type {
  Accepted,
  Batch,
  BatchOutcome,
  ClaimRequest,
  Claimed,
  DecisionOutcome,
  DecisionRecord,
  EventRecord,
  NewRunRecord,
  RunQuery,
  RunStore,
  RunWrites,
  SeenRun,
  WriteOutcome,
} from "../run-store.ts";
import pMap from "p-map";
import { settlesWithin } from "../../concurrency/settles-within.ts";
import { assertAcceptable, TooLargeError, type HeldRun } from "./held-run.ts";
import { addressesOf, listenAddress, type RestateOptions } from "./options.ts";
import { isRunId, runIdOf, serviceNames, type ServiceNames } from "./names.ts";
import { adviceFor, PATIENCE_MS, quoted, RestateError, RestateServer } from "./restate-server.ts";
import { decisionOn, toRecord, type Release, type RunState, type Submission } from "./run-state.ts";
import { createServices, EVENTS, LATE, ROOM_PER_SLOT, type Answer, type Timely } from "./services.ts";
import { SharedReads } from "./shared-reads.ts";
import { WorkerEndpoint } from "./worker-endpoint.ts";

/** How long a closing worker still answers calls that it has already received. Milliseconds. */
const PATIENCE_AT_CLOSE_MS = 3000;
/** How often a worker looks for calls and runs that are stuck. Milliseconds. */
const COLLECT_INTERVAL_MS = 60_000;
/** A retry that is due within this time is not hastened. Milliseconds. */
const SOON_MS = 60_000;
/** Requests about many runs must not flood the server. */
const FEW_AT_A_TIME = { concurrency: 16 };

interface WorkerParts {
  readonly restate: typeof Restate;
  readonly endpoint: WorkerEndpoint;
}

/** An entry in the state of one of our objects (see `services.ts`). */
interface StateRow {
  readonly id: string;
  readonly name: string;
  readonly value: string;
}

/**
 * Runs on a Restate server. The server stores them, hands them to workers, and hands them to
 * another worker when one dies. What happens inside a run is up to us (`execution.ts`), and is
 * stored through the server's call (`HeldRun`).
 *
 * Reads are SQL queries on the server's introspection, so they need no worker. Changes are calls to
 * the handlers of `services.ts`, which a worker must answer.
 */
export class RestateRunStore implements RunStore {
  /**
   * Each run has its own connection, on which writes that belong together are sent together
   * (`HeldRun.collect`).
   */
  readonly isUngrouped = true;
  /**
   * By default, the server runs 1,000 calls at a time on each partition. Every run that is executed
   * is one, and needs room for the short calls that begin and end its execution.
   */
  readonly highestConcurrency = 500;
  readonly #server: RestateServer;
  readonly #names: ServiceNames;
  readonly #options: RestateOptions;
  /** Undefined if this process executes no runs. */
  readonly #worker: WorkerParts | undefined;
  readonly #logger: Logger;
  /** Runs that were handed to this process and not claimed yet. */
  #handed: HeldRun[] = [];
  /** Runs that were claimed, by the `seq` of their hold. */
  readonly #claimed = new Map<number, HeldRun>();
  readonly #reads = new SharedReads(async (ids) => new Map((await this.#seen(ids)).map((seen) => [seen.run.id, seen])));
  #lastSeq = 0;
  #lastOrder = 0;
  #listener: (id: string | undefined) => void = () => {};
  #hasServices = false;
  #isServing = false;
  #deployment: string | undefined;
  #collectAt = -Infinity;
  readonly #served = Promise.withResolvers<void>();
  #isLeaving = false;

  private constructor(
    server: RestateServer,
    names: ServiceNames,
    options: RestateOptions,
    worker: WorkerParts | undefined,
    logger: Logger,
  ) {
    this.#server = server;
    this.#names = names;
    this.#options = options;
    this.#worker = worker;
    this.#logger = logger;
  }

  /**
   * @param url `restate+http://host:8080/namespace`; the namespace keeps runs of several
   *   applications apart. Default: `abi-workflows`
   * @throws ValidationError for an invalid URL or address, and if the SDK's package is missing
   *   (`package_missing`); IoError (`in_use`) if a worker can't listen at its address
   */
  static async open(
    url: string,
    options: RestateOptions & { worker?: boolean; logger?: Logger } = {},
  ): Promise<RestateRunStore> {
    const { ingress, admin, namespace } = addressesOf(url, options);
    const worker = (options.worker ?? true) ? await openWorker(options) : undefined;
    const server = new RestateServer({ ingress, admin, ...withoutAbsent({ token: options.token }) });
    return new RestateRunStore(server, serviceNames(namespace), options, worker, options.logger ?? silentLogger);
  }

  // There are no indexes: lists by an input field read all runs.
  async index(): Promise<void> {}

  isUnwritable(error: unknown): boolean {
    return error instanceof TooLargeError || (error instanceof RestateError && error.status === 413);
  }

  adviceFor(error: unknown): string {
    return adviceFor(error);
  }

  async write({ accepts, runs }: Batch): Promise<BatchOutcome> {
    const [accepted, written] = await Promise.all([
      Promise.all(accepts.map((run) => this.#accept(run))),
      Promise.all(runs.map((writes) => this.#writeRun(writes))),
    ]);
    return { accepts: accepted, runs: written };
  }

  async #accept(run: NewRunRecord): Promise<Accepted> {
    assertAcceptable(run.inputJson);
    const id = runIdOf(run.workflow, run.key);
    const submission: Submission = { run, time: Date.now(), order: this.#nextOrder() };
    return { id, outcome: await this.#call<Accepted["outcome"]>(id, "accept", submission) };
  }

  /** Microseconds since 1970, but never the same number twice. */
  #nextOrder(): number {
    const now = Math.round((performance.timeOrigin + performance.now()) * 1000);
    this.#lastOrder = Math.max(now, this.#lastOrder + 1);
    return this.#lastOrder;
  }

  #call<Given>(id: string, handler: string, parameter: unknown): Promise<Given> {
    return this.#server.call(this.#names.runs, id, handler, parameter);
  }

  /**
   * Calls a handler that does nothing if it only runs after we have given up waiting for its
   * answer.
   */
  async #callInTime<Given>(id: string, handler: string, parameter: object = {}): Promise<Given> {
    const timely: Timely = { until: Date.now() + PATIENCE_MS };
    const answer = await this.#call<Answer<Given>>(id, handler, { ...parameter, ...timely });
    if (answer !== LATE) return answer;
    throw new RestateError(504, "the call reached a worker too late, or the clocks of our machines differ by seconds");
  }

  async #writeRun({ hold, writes }: RunWrites): Promise<WriteOutcome[]> {
    const held = this.#claimed.get(hold.seq);
    if (!held) return writes.map(() => "lost");
    const outcomes = await held.write(writes);
    if (held.isOver) this.#claimed.delete(hold.seq);
    return outcomes;
  }

  async claim({ most, workflows, held }: ClaimRequest): Promise<Claimed> {
    await this.#serve(this.#worker!, workflows, most + held.length);
    this.#collect();
    this.#handed = this.#handed.filter((run) => !run.isOver).toSorted(byRank);
    const runs = this.#handed.splice(0, most);
    for (const run of runs) this.#claimed.set(run.hold.seq, run);
    return { runs };
  }

  /** Tells the server the address of this process. If that fails, the next poll tries again. */
  async #serve(
    { restate, endpoint }: WorkerParts,
    workflows: ReadonlyMap<string, number | null>,
    slots: number,
  ): Promise<void> {
    if (this.#isServing) return;
    if (!this.#hasServices) {
      const services = createServices({
        restate,
        names: this.#names,
        workflows,
        slots,
        nextSeq: () => (this.#lastSeq += 1),
        hand: (held) => this.#hand(held),
      });
      endpoint.serve(restate, services, {
        streams: ROOM_PER_SLOT * slots,
        identityKey: this.#options.identityKey,
        logger: this.#logger,
      });
      this.#hasServices = true;
    }
    const deployment = await this.#server.register(this.#options.workerUrl ?? endpoint.url);
    this.#deployment = deployment;
    this.#isServing = true;
    this.#served.resolve();
  }

  /** Finds stuck runs once in a while, and makes them continue. */
  #collect(): void {
    if (performance.now() < this.#collectAt) return;
    this.#collectAt = performance.now() + COLLECT_INTERVAL_MS;
    const collected = Promise.all([this.#collectStranded(this.#deployment!), this.#collectAbandoned()]);
    collected.catch((error: unknown) => {
      this.#logger.warn({ cause: describeCause(error) }, "could not look for stuck runs; trying again");
    });
  }

  #hand(held: HeldRun): void {
    if (this.#isLeaving) {
      // It came through a connection that was opened after this worker began to leave.
      this.#worker!.endpoint.turnAway();
      throw new Error("this worker is closing");
    }
    this.#handed.push(held);
    this.#listener(held.run.id);
  }

  /**
   * Resumes invocations that began at another address and are stuck there, from now on in this
   * deployment, and those that the server has paused.
   */
  async #collectStranded(deployment: string): Promise<void> {
    const stranded = await this.#server.query<{ id: string; status: string; pinned?: string }>(
      `SELECT id, status, pinned_deployment_id AS pinned FROM sys_invocation WHERE starts_with(target_service_name, ${quoted(this.#names.prefix)})
         AND (status = 'paused' OR (status IN ('backing-off', 'suspended') AND pinned_deployment_id <> ${quoted(deployment)}))`,
    );
    await pMap(
      stranded,
      async ({ id, status, pinned }) => {
        const elsewhere = pinned !== undefined && pinned !== deployment;
        try {
          if (status === "backing-off") {
            // The server doesn't move an invocation that waits for its retry. So pause it; the next
            // poll resumes it here.
            await this.#server.pause(id);
            this.#collectAt = 0;
          } else {
            await this.#server.resume(id, elsewhere ? deployment : undefined);
          }
        } catch (error) {
          // It has continued, or ended, in the meantime.
          if (!(error instanceof RestateError)) throw error;
        }
      },
      FEW_AT_A_TIME,
    );
  }

  /** Makes runs due again whose `execute` was killed or purged by an operator of the server. */
  async #collectAbandoned(): Promise<void> {
    const held = await this.#server.query<{ id: string; token: string; invocation: string }>(
      `SELECT service_key AS id, json_get_str(value_utf8, 'held', 'token') AS token,
         json_get_str(value_utf8, 'held', 'invocation') AS invocation
       FROM state WHERE ${this.#areRuns} AND json_get_str(value_utf8, 'held', 'invocation') IS NOT NULL`,
    );
    if (held.length === 0) return;
    // Queried second, so that an invocation which held a run in the first query is only missing if
    // it was killed or has left the run.
    const present = await this.#server.query<{ id: string }>(
      `SELECT id FROM sys_invocation WHERE status <> 'completed' AND id IN (${held.map(({ invocation }) => quoted(invocation)).join(", ")})`,
    );
    const alive = new Set(present.map(({ id }) => id));
    const abandoned = held.filter(({ invocation }) => !alive.has(invocation));
    await pMap(
      abandoned,
      async ({ id, token }) => {
        const { events = [] } = (await this.byId(id)) ?? {};
        const lastEvent = Math.max(0, ...events.map(({ n }) => n));
        const left: Release = { token, write: { kind: "reschedule", delayMs: 0 }, time: Date.now(), lastEvent };
        const isDue = await this.#call<boolean>(id, "abandon", left);
        if (isDue)
          this.#logger.warn({ run_id: publicId(id) }, "the execution of a run was killed; the run is executed again");
      },
      FEW_AT_A_TIME,
    );
  }

  /** Only for runs that this process executes: it knows all of their events. */
  async events(seq: number, after: number): Promise<EventRecord[]> {
    const events = this.#claimed.get(seq)?.events ?? [];
    return events.filter(({ n }) => n > after);
  }

  async decision(seq: number, subject: string): Promise<DecisionRecord | undefined> {
    const held = this.#claimed.get(seq);
    if (!held) return undefined;
    const state = { events: held.events, early: [] };
    return decisionOn(state, subject) ?? decisionOn((await this.#state(held.run.id)) ?? state, subject);
  }

  async #state(id: string): Promise<RunState | undefined> {
    if (!isRunId(id)) return undefined;
    const read = async (): Promise<StateRow | undefined> =>
      (await this.#server.query<StateRow>(`${STATE} WHERE ${this.#areRuns} AND ${await this.#haveKeys([id])}`))[0];
    const row = (await read()) ?? (await this.#afterCatchingUp(id, read));
    return row && (JSON.parse(row.value) as RunState);
  }

  /**
   * An SQL condition. If the server has scopes, the condition must say which, or the server reads
   * all states.
   */
  async #haveKeys(ids: readonly string[]): Promise<string> {
    const scope = (await this.#server.hasScopes()) ? " AND scope IS NULL" : "";
    return `service_key IN (${ids.map(quoted).join(", ")})${scope}`;
  }

  /** Repeats a query that found nothing, in case the server had not caught up with its log. */
  async #afterCatchingUp<Found>(id: string, read: () => Promise<Found>): Promise<Found> {
    await this.#server.caughtUp(this.#names.runs, id);
    return read();
  }

  async decide(
    id: string,
    subject: string,
    decision: DecisionRecord,
    { take }: { take: boolean },
  ): Promise<DecisionOutcome> {
    // Check first that the run exists: a call would create an object for any key.
    const seen = await this.byId(id);
    if (!seen) return { taken: false };
    if (take) {
      const earlier = seen.events.filter(({ type }) => type === "decided").map(({ valueJson }) => valueJson);
      assertAcceptable(...earlier, decision.valueJson);
    }
    const { before, taken } = take
      ? await this.#callInTime<{ before: RunState | null; taken: boolean }>(id, "decide", { subject, decision })
      : { before: (await this.#state(id)) ?? null, taken: false };
    if (!before) return { taken: false };
    const run = toRecord(id, before, seen.run.inputJson);
    const standing = taken ? decision : decisionOn(before, subject);
    return { taken, run, ...(standing && { decision: standing }) };
  }

  async byId(id: string): Promise<SeenRun | undefined> {
    // A closing engine asks for an empty id, to find out whether the server answers.
    if (id !== "" && !isRunId(id)) return undefined;
    const read = (): Promise<SeenRun | undefined> => this.#reads.get(id);
    return (await read()) ?? (id === "" ? undefined : this.#afterCatchingUp(id, read));
  }

  byKey(workflow: string, key: string): Promise<SeenRun | undefined> {
    return this.byId(runIdOf(workflow, key));
  }

  /** In the order of the ids; unknown ids are left out. */
  async #seen(ids: readonly string[]): Promise<SeenRun[]> {
    if (ids.length === 0) return [];
    const { runs, executions } = this.#names;
    const rows = await this.#server.query<StateRow>(
      `${STATE} WHERE ${await this.#haveKeys(ids)}
         AND (service_name = ${quoted(runs)} OR (service_name = ${quoted(executions)} AND starts_with(key, '${EVENTS}')))`,
    );
    const byId = Map.groupBy(rows, ({ id }) => id);
    return ids.flatMap((id) => {
      const own = byId.get(id) ?? [];
      const valueOf = (name: string): string | undefined => own.find((row) => row.name === name)?.value;
      const [run, inputJson] = [valueOf("run"), valueOf("input")];
      if (run === undefined || inputJson === undefined) return [];
      const state = JSON.parse(run) as RunState;
      const steps = own.flatMap(({ name, value }) =>
        name.startsWith(EVENTS) ? (JSON.parse(value) as EventRecord[]) : [],
      );
      return [{ run: toRecord(id, state, inputJson), events: inOrder([...state.events, ...steps]) }];
    });
  }

  async find(query: RunQuery): Promise<SeenRun[]> {
    const { workflow, status, input, startedSince, startedBefore, withoutCompleted = [], order, after, limit } = query;
    const [beyond, direction] = order === "oldest" ? [">", "ASC"] : ["<", "DESC"];
    const last = after === undefined ? undefined : await this.#state(after);
    if (after !== undefined && !last) return [];
    const conditions = [
      workflow === undefined ? [] : [`${field("str", "workflow")} = ${quoted(workflow)}`],
      status === undefined ? [] : [`${field("str", "status")} = ${quoted(status)}`],
      startedSince === undefined ? [] : [`${field("int", "createdAt")} >= ${startedSince}`],
      startedBefore === undefined ? [] : [`${field("int", "createdAt")} < ${startedBefore}`],
      last === undefined ? [] : [`${field("int", "order")} ${beyond} ${last.order}`],
      withoutCompleted.map(
        (name) => `NOT (${field("str", "workflow")} = ${quoted(name)} AND ${field("str", "status")} = 'completed')`,
      ),
      Object.entries(input ?? {}).map(
        ([name, text]) =>
          `service_key IN (SELECT service_key FROM state WHERE service_name = ${quoted(this.#names.runs)} AND key = 'input'
             AND ${field("str", name)} = ${quoted(text)})`,
      ),
    ].flat();
    const rows = await this.#server.query<{ id: string }>(
      `SELECT service_key AS id FROM state WHERE ${[this.#areRuns, ...conditions].join(" AND ")}
       ORDER BY ${field("int", "order")} ${direction} LIMIT ${limit}`,
    );
    return this.#seen(rows.map(({ id }) => id));
  }

  get #areRuns(): string {
    return `service_name = ${quoted(this.#names.runs)} AND key = 'run'`;
  }

  async counts(): Promise<RunCounts[]> {
    const now = Date.now();
    const rows = await this.#server.query<CountRow & { due?: number; waiting?: number }>(
      `SELECT ${field("str", "workflow")} AS workflow, ${field("str", "status")} AS status, count(*) AS count,
         min(${DUE_AT}) AS due, min(${field("int", "waitingSince")}) AS waiting
       FROM state WHERE ${this.#areRuns} GROUP BY 1, 2`,
    );
    const oldest = (workflow: string, what: "due" | "waiting"): number =>
      Math.min(...rows.flatMap((row) => (row.workflow === workflow && row[what] !== undefined ? [row[what]] : [])));
    return toCounts(rows, (workflow) => {
      const since = oldest(workflow, "waiting");
      return { dueForMs: now - oldest(workflow, "due"), waitedForMs: since === Infinity ? null : now - since };
    });
  }

  async forget(id: string): Promise<boolean> {
    if (!(await this.#state(id))) return false;
    return this.#callInTime(id, "forget");
  }

  async retry(id: string): Promise<boolean> {
    if (!(await this.#state(id))) return false;
    return this.#callInTime(id, "retry", { time: Date.now() });
  }

  async hastenRetries(): Promise<boolean> {
    await this.#served.promise;
    const rows = await this.#server.query<{ id: string }>(
      `SELECT service_key AS id FROM state WHERE ${this.#areRuns} AND ${field("int", "retryUntil")} IS NOT NULL
         AND ${DUE_AT} > ${Date.now() + SOON_MS}`,
    );
    const hastened = await pMap(rows, ({ id }) => this.retry(id), FEW_AT_A_TIME);
    return hastened.includes(true);
  }

  async cancel(id: string): Promise<"cancelled" | "requested" | undefined> {
    if (!(await this.#state(id))) return undefined;
    const answer = await this.#callInTime<"cancelled" | "requested" | null>(id, "cancel", { time: Date.now() });
    // Other processes learn of it from the server; here, no further step may begin.
    if (answer === "requested") {
      for (const held of [...this.#handed, ...this.#claimed.values()]) if (held.run.id === id) held.cancel();
    }
    return answer ?? undefined;
  }

  // Nothing to do: callers that wait in another process poll every second.
  announce(): void {}

  listen(listener: (id: string | undefined) => void): void {
    this.#listener = listener;
  }

  /** Passes runs that were handed to us, and that we have not begun, to another worker. */
  async leaveQueue(): Promise<void> {
    this.#isLeaving = true;
    this.#worker?.endpoint.turnAway();
    for (const held of this.#handed.splice(0)) held.lose();
  }

  async close(): Promise<void> {
    this.#isLeaving = true;
    const endpoint = this.#worker?.endpoint;
    if (endpoint && !(await settlesWithin(endpoint.close(), PATIENCE_AT_CLOSE_MS))) endpoint.destroy();
  }
}

const STATE = "SELECT service_key AS id, key AS name, value_utf8 AS value FROM state";

/** SQL for a field of a state's JSON. */
const field = (type: "str" | "int", name: string): string => `json_get_${type}(value_utf8, ${quoted(name)})`;

const DUE_AT = "json_get_int(value_utf8, 'due', 'at')";

const inOrder = (events: readonly EventRecord[]): EventRecord[] => events.toSorted((one, other) => one.n - other.n);

/** Higher priority first, then the longest due, then the first handed to us. */
const byRank = (one: HeldRun, other: HeldRun): number =>
  other.rank.priority - one.rank.priority || one.rank.dueAt - other.rank.dueAt || one.hold.seq - other.hold.seq;

async function openWorker(options: RestateOptions): Promise<WorkerParts> {
  const address = listenAddress(options);
  const restate = await withPackages(["@restatedev/restate-sdk"], () => import("@restatedev/restate-sdk"));
  return { restate, endpoint: await WorkerEndpoint.open(address) };
}
