import { randomUUID } from "node:crypto";
import { silentLogger, type Logger } from "../../log.ts";
import type { RunCounts, RunStatus } from "../engine.ts";
import type {
  Accepted,
  Batch,
  BatchOutcome,
  ClaimRequest,
  Claimed,
  ClaimedRun,
  DecisionOutcome,
  DecisionRecord,
  EventRecord,
  Hold,
  RunQuery,
  RunRecord,
  RunStore,
  NewRunRecord,
  RunWrite,
  RunWrites,
  SeenRun,
} from "../run-store.ts";
import { mustBeFlushed } from "../run-writes.ts";
import { PostgresChannel } from "./channel.ts";
import { NO_TIMEOUT, PostgresConnections } from "./connections.ts";
import { isUnwritable, sqlState, adviceFor } from "./errors.ts";
import { EVENT_COLUMNS, EVENT_VALUE, RUN_COLUMNS, toCounts, waitingSince, type Ages, type CountRow } from "../rows.ts";
import { createSchema } from "./create-schema.ts";
import { pageJson, type PageState, outcomesOf, runJson } from "./written-json.ts";

/**
 * With 16 runs at a time, this short wait saves a fifth of the processor time of a run, because
 * more writes share a round trip. Milliseconds.
 */
const GATHER_MS = 2;
/** How often leases are renewed: three times per lease. Milliseconds. */
const RENEWAL_INTERVAL_MS = 1500;
/** How often to check whether the server's clock was set back. Milliseconds. */
const CLOCK_INTERVAL_MS = 60_000;
/**
 * How many characters of an input field are indexed. There is a limit, because index entries can't
 * be long. Queries compare the whole text as well.
 */
const INDEXED_CHARACTERS = 200;

/** Turns off the flush of a transaction that a crash of the server may lose without harm. */
const WITHOUT_FSYNC = "set_config('synchronous_commit', 'off', true)";

const EVENTS_OF = (run: string, after: string): string => `
  SELECT ${EVENT_COLUMNS} FROM abi_workflows.events
  WHERE run = ${run} AND n > ${after} ORDER BY n`;
const SEEN = `SELECT ${RUN_COLUMNS}, (SELECT json_agg(row_to_json(event)) FROM (${EVENTS_OF("runs.seq", "0")}) AS event) AS events
  FROM abi_workflows.runs`;
const DECISION_ON = (run: string, subject: string): string => `
  SELECT ${EVENT_VALUE}, time FROM abi_workflows.events WHERE run = ${run} AND type = 'decided' AND name = ${subject}`;

const WRITE = { name: "write", text: "SELECT abi_workflows.write($1, $2) AS written" };
const WRITE_WITHOUT_FSYNC = {
  name: "write_unflushed",
  text: `SELECT ${WITHOUT_FSYNC}, abi_workflows.write($1, $2) AS written`,
};
const CLAIM = {
  name: "claim",
  text: `SELECT ${WITHOUT_FSYNC}, abi_workflows.claim($1, $2, $3, $4, $5) AS claimed`,
};
/** Also renews leases that have expired, unless another process has claimed the run. */
const RENEW = {
  name: "renew",
  text: `
    WITH own AS (
      SELECT run.seq, ${WITHOUT_FSYNC} FROM unnest($1::bigint[], $2::bigint[]) AS hold (seq, epoch)
      JOIN abi_workflows.runs AS run ON run.seq = hold.seq AND run.epoch = hold.epoch
      WHERE run.lease_ends_at IS NOT NULL ORDER BY run.seq FOR NO KEY UPDATE OF run
    )
    UPDATE abi_workflows.runs SET lease_ends_at = abi_workflows.now_ms() + abi_workflows.lease_ms() FROM own
    WHERE runs.seq = own.seq`,
};
/** Ends a run that nobody executes, or asks its worker to stop. */
const CANCEL = `
  WITH run AS (
    UPDATE abi_workflows.runs
    SET cancel_requested = lease_ends_at IS NOT NULL, due_at = NULL, waiting_for = NULL, output = NULL, retry_until = NULL,
      status = CASE WHEN lease_ends_at IS NULL THEN 'cancelled' ELSE status END,
      ended_at = CASE WHEN lease_ends_at IS NULL THEN abi_workflows.now_ms() END
    WHERE id = $1 AND status NOT IN ('completed', 'failed', 'cancelled') RETURNING seq, status, ended_at
  ), event AS (
    INSERT INTO abi_workflows.events (run, type, time) SELECT seq, status, ended_at FROM run WHERE status = 'cancelled'
  )
  SELECT status FROM run`;
const FOLLOW_CLOCK = `SELECT ${WITHOUT_FSYNC}, abi_workflows.follow_clock()`;
const BY_IDS = { name: "by_ids", text: `${SEEN} WHERE id = ANY ($1::text[])` };
const BY_KEY = { name: "by_key", text: `${SEEN} WHERE workflow = $1 AND key = $2` };
const EVENTS = { name: "events", text: EVENTS_OF("$1", "$2") };
const DECISION = { name: "decision", text: DECISION_ON("$1", "$2") };
const DECIDABLE = `
  SELECT ${RUN_COLUMNS}, (SELECT row_to_json(decision) FROM (${DECISION_ON("runs.seq", "$2")}) AS decision) AS decision
  FROM abi_workflows.runs WHERE id = $1`;
const COUNTS = `
  WITH due AS (
    SELECT workflow, min(at) AS at FROM (
      SELECT workflow, due_at AS at FROM abi_workflows.runs WHERE due_at IS NOT NULL
      UNION ALL
      SELECT workflow, lease_ends_at FROM abi_workflows.runs WHERE lease_ends_at IS NOT NULL
    ) AS waiting GROUP BY workflow
  ), parked AS (
    SELECT workflow, min(${waitingSince("abi_workflows.events")}) AS since
    FROM abi_workflows.runs WHERE status = 'waiting_for_approval' GROUP BY workflow
  )
  SELECT workflow, status, count(*) AS count, abi_workflows.now_ms() - min(due.at) AS "dueForMs",
    abi_workflows.now_ms() - min(parked.since) AS "waitedForMs"
  FROM abi_workflows.runs LEFT JOIN due USING (workflow) LEFT JOIN parked USING (workflow) GROUP BY workflow, status`;
const FORGET = `
  WITH forgotten AS (
    DELETE FROM abi_workflows.runs WHERE id = $1 AND status IN ('completed', 'failed', 'cancelled') RETURNING seq
  ), events AS (
    DELETE FROM abi_workflows.events USING forgotten WHERE run = seq
  )
  SELECT seq FROM forgotten`;

type SeenRow = RunRecord & { readonly events: readonly EventRecord[] | null };

const toSeen = ({ events, ...run }: SeenRow): SeenRun => ({ run, events: events ?? [] });

/** What is stored about a run that this process executes. */
interface Progress {
  /** The number of its last event. */
  readonly last: number;
  /** The number of the last event that is certainly on disk. */
  readonly flushed: number;
  /** What was written since then, and could be lost if the server crashes. */
  readonly unflushed: readonly RunWrite[];
}

const flushedUpTo = (last: number): Progress => ({ last, flushed: last, unflushed: [] });

/** The writes of one run. `after`: the number of the event that they come after. */
type Page = RunWrites & { readonly after: number };

/** What the functions of the schema return. */
interface Written {
  readonly accepts: readonly Accepted[] | null;
  readonly pages: readonly { readonly n: number | null; readonly state: PageState }[] | null;
}
interface ClaimAnswer {
  readonly due_in: number | null;
  readonly is_more_due: boolean;
  readonly runs: readonly (SeenRow & Pick<ClaimedRun, "isFirstExecution"> & { readonly epoch: number })[] | null;
}

/** One query for all runs that are read in one turn of the event loop. */
interface Lookup {
  readonly ids: Set<string>;
  readonly runs: Promise<ReadonlyMap<string, SeenRun>>;
}

/**
 * Runs in the schema `abi_workflows` of a PostgreSQL database, which any number of processes may
 * share.
 *
 * A worker has a lease of five seconds on each run that it claims, and renews all its leases
 * together. If it dies, or is cut off from the database, its leases end and others claim its runs;
 * what it writes after that doesn't count, because its epoch is out of date. Waits and leases go by
 * the server's clock.
 *
 * Every statement is one transaction. Those that a crash of the server may lose without harm are
 * not flushed (`WITHOUT_FSYNC`): beginnings of steps, results of steps that may be repeated,
 * claims, renewals. If they are lost while their worker lives, its next `write` restores them; a
 * lost renewal is made good by the next one.
 *
 * When a connection breaks, nobody knows whether the last statement took effect. So all statements
 * can be repeated without harm: accepting recognizes the run by its id, writing looks for its own
 * events after the last one known to be stored, and only the first decision on a subject counts.
 */
export class PostgresRunStore implements RunStore {
  readonly gatherMs = GATHER_MS;
  readonly #connections: PostgresConnections;
  readonly #channel: PostgresChannel;
  readonly #worker = randomUUID();
  /** The runs that this process executes. */
  #held: readonly Hold[] = [];
  readonly #progress = new WeakMap<Hold, Progress>();
  #renewal: NodeJS.Timeout | undefined;
  #isRenewing = false;
  #followedClockAt = -Infinity;
  #nextLookup: Lookup | undefined;

  private constructor(connections: PostgresConnections, logger: Logger) {
    this.#connections = connections;
    this.#channel = new PostgresChannel(connections, this.#worker, logger);
  }

  /**
   * Opens a database, and creates its tables if there are none.
   * @param url `postgres://user:password@host:5432/database`
   * @param options `worker`: whether this process executes runs
   * @throws ValidationError (`invalid_configuration` for the URL, `engine_unreadable` for runs of
   *   another version), IoError (`engine_unavailable`)
   */
  static async open(
    url: string,
    { worker = true, logger = silentLogger }: { worker?: boolean; logger?: Logger } = {},
  ): Promise<PostgresRunStore> {
    const connections = await PostgresConnections.open(url, { worker, logger });
    try {
      await createSchema(connections);
      return new PostgresRunStore(connections, logger);
    } catch (cause) {
      await connections.close();
      throw connections.openingError(cause);
    }
  }

  async index(field: string): Promise<void> {
    const name = `in_${field}`; // 63 bytes, the longest name, for a field of 60
    const { query } = this.#connections;
    // Even if the index exists, CREATE INDEX IF NOT EXISTS would wait for all writers, and everyone
    // else would wait behind it.
    const [known] = await query(
      "SELECT FROM pg_class WHERE relname = $1 AND relnamespace = to_regnamespace('abi_workflows')",
      [name],
    );
    if (known) return;
    try {
      await query({
        text: `SELECT set_config('lock_timeout', '10s', true);
          CREATE INDEX IF NOT EXISTS "${name}" ON abi_workflows.runs (${inputField(field)}, created_at, seq)`,
        query_timeout: NO_TIMEOUT,
      });
    } catch (error) {
      if (!/^(?:23505|42P07)$/.test(sqlState(error) ?? "")) throw error; // another process was faster
    }
  }

  isUnwritable(error: unknown): boolean {
    return isUnwritable(error);
  }

  adviceFor(error: unknown): string {
    return adviceFor(error);
  }

  async write(batch: Batch): Promise<BatchOutcome> {
    const isFlushed = mustBeFlushed(batch);
    const pages = batch.runs.map(({ hold, writes }) => ({ hold, writes, after: this.#progressOf(hold).last }));
    const { accepts, states } = await this.#write(batch.accepts, pages, { isFlushed });
    const behind = pages.filter((_, index) => states[index] === "behind");
    const again = behind.length === 0 ? [] : await this.#writeAgain(behind);
    return {
      accepts,
      runs: pages.map(({ writes }, index) =>
        outcomesOf(writes, states[index] === "behind" ? again.shift()! : states[index]!),
      ),
    };
  }

  async #write(
    accepts: readonly NewRunRecord[],
    pages: readonly Page[],
    { isFlushed }: { isFlushed: boolean },
  ): Promise<{ accepts: readonly Accepted[]; states: PageState[] }> {
    const [row] = await this.#connections.query<{ written: Written }>(isFlushed ? WRITE : WRITE_WITHOUT_FSYNC, [
      `[${accepts.map(runJson).join()}]`,
      `[${pages.map(({ hold, after, writes }) => pageJson(hold, after, writes)).join()}]`,
    ]);
    const { written } = row!;
    const states = pages.map(({ hold, writes }, index) => {
      const { n, state } = written.pages![index]!;
      if (state === "lost" || state === "behind") return state;
      const known = this.#progressOf(hold);
      const last = n ?? known.last;
      this.#progress.set(
        hold,
        isFlushed ? flushedUpTo(last) : { ...known, last, unflushed: [...known.unflushed, ...writes] },
      );
      return state;
    });
    return { accepts: written.accepts ?? [], states };
  }

  /**
   * After a crash of the server: writes these pages, and before them what the server had not
   * flushed.
   */
  async #writeAgain(pages: readonly Page[]): Promise<PageState[]> {
    const whole = pages.map(({ hold, writes }) => {
      const { flushed, unflushed } = this.#progressOf(hold);
      return { hold, writes: [...unflushed, ...writes], after: flushed };
    });
    return (await this.#write([], whole, { isFlushed: true })).states;
  }

  #progressOf(hold: Hold): Progress {
    return this.#progress.get(hold) ?? flushedUpTo(0);
  }

  async claim({ most, workflows, held }: ClaimRequest): Promise<Claimed> {
    this.#held = held;
    if (performance.now() - this.#followedClockAt > CLOCK_INTERVAL_MS) {
      await this.#connections.query(FOLLOW_CLOCK);
      this.#followedClockAt = performance.now();
    }
    const limits = JSON.stringify(Object.fromEntries(workflows));
    const [row] = await this.#connections.query<{ claimed: ClaimAnswer }>(CLAIM, [
      this.#worker,
      most,
      limits,
      ...columnsOf(held),
    ]);
    const { due_in: dueIn, is_more_due: isMoreDue, runs } = row!.claimed;
    const claimed = (runs ?? []).map(({ epoch, isFirstExecution, ...row }) => {
      const hold: Hold = { seq: row.seq, epoch, workflow: row.workflow };
      const { run, events } = toSeen(row);
      this.#progress.set(hold, flushedUpTo(events.at(-1)?.n ?? 0));
      return { hold, run, events, isFirstExecution };
    });
    this.#held = [...held, ...claimed.map(({ hold }) => hold)];
    this.#renewal ??= setInterval(() => void this.#renew(), RENEWAL_INTERVAL_MS);
    if (this.#held.length === 0) this.#stopRenewal();
    return { runs: claimed, isMoreDue, ...(dueIn !== null && { nextDueAt: Date.now() + dueIn }) };
  }

  /**
   * It has its own timer, because a worker without a free slot doesn't poll, and its own
   * connection, because lists may occupy the others for longer than a lease.
   */
  async #renew(): Promise<void> {
    if (this.#isRenewing || this.#held.length === 0) return;
    this.#isRenewing = true;
    try {
      await this.#connections.queryAtOnce(RENEW, columnsOf(this.#held));
    } catch {
      // The timer tries again; the worker's poll reports the outage.
    } finally {
      this.#isRenewing = false;
    }
  }

  #stopRenewal(): void {
    clearInterval(this.#renewal);
    this.#renewal = undefined;
  }

  async events(seq: number, after: number): Promise<EventRecord[]> {
    return this.#connections.query<EventRecord>(EVENTS, [seq, after]);
  }

  async decision(seq: number, subject: string): Promise<DecisionRecord | undefined> {
    const [decision] = await this.#connections.query<DecisionRecord>(DECISION, [seq, subject]);
    return decision;
  }

  async decide(
    id: string,
    subject: string,
    { valueJson, time }: DecisionRecord,
    { take }: { take: boolean },
  ): Promise<DecisionOutcome> {
    const { query } = this.#connections;
    let taken = false;
    if (take) {
      const [decided] = await query<{ taken: boolean }>("SELECT abi_workflows.decide($1, $2, $3, $4) AS taken", [
        id,
        subject,
        valueJson,
        time,
      ]);
      taken = decided!.taken;
    }
    const [row] = await query<RunRecord & { decision: DecisionRecord | null }>(DECIDABLE, [id, subject]);
    return { taken, ...(row && { run: row }), ...(row?.decision && { decision: row.decision }) };
  }

  async byId(id: string): Promise<SeenRun | undefined> {
    // Many callers wait for runs that end together, so they share a query.
    this.#nextLookup ??= this.#lookUp();
    const { ids, runs } = this.#nextLookup;
    ids.add(id);
    return (await runs).get(id);
  }

  #lookUp(): Lookup {
    const ids = new Set<string>();
    const runs = new Promise<void>(setImmediate).then(async () => {
      this.#nextLookup = undefined;
      const rows = await this.#connections.query<SeenRow>(BY_IDS, [[...ids]]);
      return new Map(rows.map((row) => [row.id, toSeen(row)]));
    });
    return { ids, runs };
  }

  async byKey(workflow: string, key: string): Promise<SeenRun | undefined> {
    const [row] = await this.#connections.query<SeenRow>(BY_KEY, [workflow, key]);
    return row && toSeen(row);
  }

  async find(query: RunQuery): Promise<SeenRun[]> {
    const { workflow, status, input, startedSince, startedBefore, withoutCompleted = [], order, after, limit } = query;
    const [beyond, direction] = order === "oldest" ? [">", "ASC"] : ["<", "DESC"];
    const values: unknown[] = [];
    const value = (of: unknown): string => `$${values.push(of)}`;
    const conditions: string[] = ["TRUE"];
    if (workflow !== undefined) conditions.push(`workflow = ${value(workflow)}`);
    if (status !== undefined) conditions.push(`status = ${value(status)}`);
    if (startedSince !== undefined) conditions.push(`created_at >= ${value(startedSince)}`);
    if (startedBefore !== undefined) conditions.push(`created_at < ${value(startedBefore)}`);
    for (const name of withoutCompleted) conditions.push(`NOT (workflow = ${value(name)} AND status = 'completed')`);
    for (const [field, wanted] of Object.entries(input ?? {})) {
      // The index is only used for exactly its expression.
      if (/^\w+$/.test(field)) conditions.push(`${inputField(field)} = left(${value(wanted)}, ${INDEXED_CHARACTERS})`);
      conditions.push(`input ->> ${value(field)}::text = ${value(wanted)}`);
    }
    if (after !== undefined) {
      conditions.push(
        `(created_at, seq) ${beyond} (SELECT created_at, seq FROM abi_workflows.runs WHERE id = ${value(after)})`,
      );
    }
    const text = `${SEEN} WHERE ${conditions.join(" AND ")} ORDER BY created_at ${direction}, seq ${direction} LIMIT ${value(limit)}`;
    const rows = await this.#connections.query<SeenRow>({ text, query_timeout: NO_TIMEOUT }, values);
    return rows.map(toSeen);
  }

  async counts(): Promise<RunCounts[]> {
    const rows = await this.#connections.query<CountRow & Ages>({ text: COUNTS, query_timeout: NO_TIMEOUT });
    const ages = new Map(rows.map((row) => [row.workflow, row]));
    return toCounts(rows, (workflow) => ages.get(workflow)!);
  }

  async forget(id: string): Promise<boolean> {
    return (await this.#connections.query(FORGET, [id])).length > 0;
  }

  async retry(id: string): Promise<boolean> {
    const [row] = await this.#connections.query<{ is_retried: boolean }>(
      "SELECT abi_workflows.resume($1, NULL) AS is_retried",
      [id],
    );
    return row!.is_retried;
  }

  async hastenRetries(): Promise<boolean> {
    const [row] = await this.#connections.query<{ is_hastened: boolean }>(
      "SELECT abi_workflows.hasten(NULL) AS is_hastened",
    );
    return row!.is_hastened;
  }

  async cancel(id: string): Promise<"cancelled" | "requested" | undefined> {
    const [run] = await this.#connections.query<{ status: RunStatus }>(CANCEL, [id]);
    return run && (run.status === "cancelled" ? "cancelled" : "requested");
  }

  announce(id: string): void {
    this.#channel.announce(id);
  }

  listen(listener: (id: string | undefined) => void): void {
    this.#channel.listen(listener);
  }

  async leaveQueue(): Promise<void> {
    await this.#connections.query(`DELETE FROM abi_workflows.waiting_workers WHERE worker = $1`, [this.#worker]);
  }

  async close(): Promise<void> {
    this.#stopRenewal();
    await this.#channel.close();
    await this.#connections.close();
  }
}

const inputField = (field: string): string => `left(input ->> '${field}', ${INDEXED_CHARACTERS})`;

/** Held runs as two arrays. */
const columnsOf = (holds: readonly Hold[]): [seqs: Hold["seq"][], epochs: Hold["epoch"][]] => [
  holds.map(({ seq }) => seq),
  holds.map(({ epoch }) => epoch),
];
