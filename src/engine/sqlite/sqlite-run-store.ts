import type { SQLInputValue } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { IoError, isAbiError, ValidationError } from "../../errors.ts";
import { FlushError, SqliteFile, UnusableFileError, type TransactionOptions } from "../../files/sqlite-file.ts";
import { sqliteFault } from "../../files/sqlite.ts";
import { FLUSH_RETRY } from "../../retry-policies.ts";
import type { RunCounts } from "../engine.ts";
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
  NewRunRecord,
  RunQuery,
  RunRecord,
  RunStore,
  RunWrite,
  RunWrites,
  SeenRun,
  WriteOutcome,
} from "../run-store.ts";
import { endedBy, eventOf, mustBeFlushed, releaseAt, releases, type EndWrite, type NewEvent } from "../run-writes.ts";
import { EVENT_COLUMNS, EVENT_VALUE, RUN_COLUMNS, toCounts, waitingSince, type CountRow } from "../rows.ts";
import { RUNS } from "./schema.ts";

/** How often to poll for writes by other processes. Milliseconds. */
const CHANGE_POLL_MS = 1000;

/** The columns of a due run that decide its turn. */
type Due = Readonly<{ seq: number; workflow: string; priority: number; due_at: number }>;

const HAS_ENDED = "status IN ('completed', 'failed', 'cancelled')";
const OLDEST_WAITING = `SELECT workflow, min(${waitingSince("events")}) AS since
  FROM runs WHERE status = 'waiting_for_approval' GROUP BY workflow`;

/** How many events one statement inserts at most. */
const EVENTS_PER_STATEMENT = 20;

/**
 * Runs in a SQLite file. One process at a time executes them; others may submit, read and decide in
 * the meantime.
 *
 * Every commit is flushed to disk before it is answered, unless it contains nothing but claims,
 * beginnings of steps and results that may be lost: after a power cut, that work is done again.
 */
export class SqliteRunStore implements RunStore {
  readonly #file: SqliteFile;
  /** Outcomes of writes that are committed but could not be flushed. */
  readonly #committed = new WeakMap<RunWrite, WriteOutcome>();
  #lastClaimAt = 0;
  #changePoll: NodeJS.Timeout | undefined;
  #isClosed = false;

  /**
   * @param path of the file, or `":memory:"`. A knowledge graph with the same path shares the file
   * @param options `worker`: whether to execute runs, which only one process at a time may do. If
   *   so, the runs that a dead process held become due
   * @throws ValidationError (`engine_unreadable`), IoError (`in_use`, `engine_unavailable`)
   */
  constructor(path: string, { worker = true }: { worker?: boolean } = {}) {
    let file: SqliteFile | undefined;
    try {
      file = worker ? SqliteFile.own(path, RUNS) : SqliteFile.visit(path, RUNS);
      this.#file = file;
      if (worker) this.#freeHeld();
    } catch (cause) {
      file?.leave("runs");
      throw openingError(path, cause);
    }
  }

  async index(field: string): Promise<void> {
    const name = `runs_input_${field}`;
    this.#file.database.exec(`CREATE INDEX IF NOT EXISTS "${name}" ON runs (${inputField(field)}, created_at)`);
  }

  isUnwritable(error: unknown): boolean {
    return sqliteFault(error) === "too_large";
  }

  adviceFor(error: unknown): string {
    const fault = sqliteFault(error);
    if (fault === "full") return "its disk is full. Free some space.";
    if (fault === "read_only") return "it is read-only, or on a read-only disk. Make it writable.";
    return "its file can't be read or written. Check its disk, and which other processes use it.";
  }

  async write(batch: Batch): Promise<BatchOutcome> {
    const { accepts, runs } = batch;
    const isFlushed = mustBeFlushed(batch);
    const remember = (outcome: BatchOutcome | undefined): void => this.#remember(batch, outcome);
    const needsTransaction = ({ writes }: RunWrites): boolean =>
      writes.length > EVENTS_PER_STATEMENT || writes.some((write) => releases(write) || this.#committed.has(write));
    if (accepts.length + runs.length === 1 && !runs.some(needsTransaction)) {
      const written = await this.#transaction(
        () => this.#inOneStatement(batch),
        { isFlushed, isOneStatement: true },
        remember,
      );
      if (written) return written;
    }
    return this.#transaction(
      () => ({ accepts: accepts.map((run) => this.#accept(run)), runs: runs.map((page) => this.#writeNew(page)) }),
      { isFlushed },
      remember,
    );
  }

  /**
   * `Journal` repeats a batch that could not be flushed. It is already committed, so then it only
   * needs to be flushed.
   */
  #remember({ runs }: Batch, outcome: BatchOutcome | undefined): void {
    for (const [at, outcomes] of outcome?.runs.entries() ?? []) {
      for (const [index, one] of outcomes.entries()) this.#committed.set(runs[at]!.writes[index]!, one);
    }
  }

  /** Leaves out what is already committed. */
  #writeNew({ hold, writes }: RunWrites): WriteOutcome[] {
    const fresh = writes.filter((write) => !this.#committed.has(write));
    const outcomes = this.#writeRun({ hold, writes: fresh }).values();
    return writes.map((write) => this.#committed.get(write) ?? outcomes.next().value!);
  }

  /** Undefined if it takes more than one statement; then nothing was written. */
  #inOneStatement({ accepts: [run], runs: [page] }: Batch): BatchOutcome | undefined {
    if (run) return this.#insert(run) ? { accepts: [{ id: run.id, outcome: "created" }], runs: [] } : undefined;
    const outcomes = page && this.#writeAtOnce(page);
    return outcomes && { accepts: [], runs: [outcomes] };
  }

  #accept(run: NewRunRecord): Accepted {
    const { id, workflow, key, fingerprint, availableAt } = run;
    if (this.#insert(run)) return { id, outcome: "created" };
    const known = this.#get("SELECT id, fingerprint FROM runs WHERE workflow = ? AND key = ?", [workflow, key]) as {
      id: string;
      fingerprint: string;
    };
    if (known.fingerprint !== fingerprint) return { id: known.id, outcome: "conflict" };
    if (known.id === id) return { id, outcome: "created" }; // the answer to an earlier try was lost
    return { id: known.id, outcome: this.#resume(known.id, availableAt) ? "resumed" : "existing" };
  }

  /** False if its key already exists. */
  #insert({ id, workflow, key, fingerprint, inputJson, availableAt, priority }: NewRunRecord): boolean {
    const now = Date.now();
    const changes = this.#run(
      `INSERT INTO runs (id, workflow, key, fingerprint, input, status, priority, created_at, due_at, due_since)
       VALUES (?, ?, ?, ?, ?, 'started', ?, ?, ?, ?) ON CONFLICT (workflow, key) DO NOTHING`,
      [id, workflow, key, fingerprint, inputJson, priority, now, availableAt ?? now, now],
    );
    return changes > 0;
  }

  #writeRun(page: RunWrites): WriteOutcome[] {
    const outcomes = this.#writeAtOnce(page);
    if (outcomes) return outcomes;
    const { seq, epoch } = page.hold;
    const held = this.#get("SELECT cancel_requested FROM runs WHERE seq = ? AND epoch = ? AND is_held", [
      seq,
      epoch,
    ]) as { cancel_requested: 0 | 1 } | undefined;
    if (!held) return page.writes.map(() => "lost");
    const isCancelled = held.cancel_requested === 1;
    const events: NewEvent[] = [];
    const written = untilReleased(page.writes, (write) => this.#writeOne(seq, write, isCancelled, events));
    this.#insertEvents(events, "seq = ?", [seq]);
    return written;
  }

  /**
   * The most common case: steps progress, and perhaps the run ends. One statement for the steps,
   * which checks the hold as well, and one for the end.
   * @returns undefined in any other case, or if the run is no longer held or is to be cancelled;
   *   then nothing was written
   */
  #writeAtOnce({ hold: { seq, epoch }, writes }: RunWrites): WriteOutcome[] | undefined {
    const events: NewEvent[] = [];
    for (const write of writes) {
      if (write.kind === "reschedule" || write.kind === "park") return undefined;
      events.push(eventOf(write));
      if (write.kind === "end") break;
    }
    const isHeld = "seq = ? AND epoch = ? AND is_held AND NOT cancel_requested";
    if (this.#insertEvents(events, isHeld, [seq, epoch]) === 0) return undefined;
    return untilReleased(writes, (write) => {
      if (write.kind === "end") this.#end(seq, write);
      return "done";
    });
  }

  /** @param events gets the events of this write; the caller inserts them all together */
  #writeOne(seq: number, write: RunWrite, isCancelled: boolean, events: NewEvent[]): WriteOutcome {
    if (write.kind === "begin" && isCancelled) return "cancelled";
    if (write.kind === "reschedule" || write.kind === "park") {
      if (isCancelled) events.push(this.#endCancelled(seq));
      else if (write.kind === "reschedule") this.#makeDue(seq, write.delayMs, write.retryUntil);
      else if (this.#decision(seq, write.subject)) this.#makeDue(seq, 0);
      else events.push(this.#park(seq, write));
      return isCancelled ? "cancelled" : "done";
    }
    if (write.kind === "end") this.#end(seq, write);
    events.push(eventOf(write));
    return "done";
  }

  /**
   * Appends events to those of the run.
   * @param condition that only this run can meet
   * @returns how many were inserted: none if the run doesn't meet the condition
   */
  #insertEvents(events: readonly NewEvent[], condition: string, values: readonly SQLInputValue[]): number {
    if (events.length === 0) return 0;
    // Statements stay prepared, so there must not be one for each possible number of events.
    if (events.length > EVENTS_PER_STATEMENT) {
      const first = this.#insertEvents(events.slice(0, EVENTS_PER_STATEMENT), condition, values);
      return first && first + this.#insertEvents(events.slice(EVENTS_PER_STATEMENT), condition, values);
    }
    const rows = Array<string>(events.length).fill("(?, ?, ?, ?, ?, ?, ?, ?, ?)").join(", ");
    return this.#run(
      `INSERT INTO events (run, n, type, time, name, is_listed, value, error, is_final, retry_until)
       SELECT seq, last_event + event.column1, event.column2, event.column3, event.column4, event.column5, event.column6,
         event.column7, event.column8, event.column9
       FROM (SELECT seq, (SELECT coalesce(max(n), 0) FROM events WHERE run = seq) AS last_event FROM runs WHERE ${condition}),
         (VALUES ${rows}) AS event`,
      [
        ...values,
        ...events.flatMap(({ type, time, name, listed, valueJson, errorJson, isFinal, retryUntil }, index) => [
          index + 1,
          type,
          time,
          name ?? null,
          listed == null ? null : Number(listed),
          valueJson ?? null,
          errorJson ?? null,
          isFinal == null ? null : Number(isFinal),
          retryUntil ?? null,
        ]),
      ],
    );
  }

  /** Records something that happens to a run besides its steps. */
  #recordEvent(seq: number, event: NewEvent): void {
    this.#insertEvents([event], "seq = ?", [seq]);
  }

  #end(seq: number, end: EndWrite): void {
    const { status, outputJson, errorJson } = endedBy(end);
    this.#run(
      `UPDATE runs SET status = ?, output = ?, error = ?, ended_at = ?, is_held = 0, cancel_requested = 0 WHERE seq = ?`,
      [status, outputJson, errorJson, end.time, seq],
    );
  }

  #makeDue(seq: number, delayMs: number, retryUntil?: number): void {
    const now = Date.now();
    this.#run("UPDATE runs SET is_held = 0, due_at = ?, due_since = ?, retry_until = ? WHERE seq = ?", [
      now + delayMs,
      now,
      retryUntil ?? null,
      seq,
    ]);
  }

  #park(seq: number, { subject, outputJson }: Extract<RunWrite, { kind: "park" }>): NewEvent {
    this.#run(
      "UPDATE runs SET status = 'waiting_for_approval', is_held = 0, waiting_for = ?, output = ? WHERE seq = ?",
      [subject, outputJson ?? null, seq],
    );
    return { type: "waiting", time: Date.now(), name: subject };
  }

  #endCancelled(seq: number): NewEvent {
    const now = Date.now();
    this.#run(
      `UPDATE runs SET status = 'cancelled', ended_at = ?, is_held = 0, cancel_requested = 0, due_at = NULL,
         waiting_for = NULL, output = NULL, retry_until = NULL WHERE seq = ?`,
      [now, seq],
    );
    return { type: "cancelled", time: now };
  }

  async claim({ most, workflows, held }: ClaimRequest): Promise<Claimed> {
    const now = Date.now();
    if (now < this.#lastClaimAt) this.#followClock(now);
    this.#lastClaimAt = now;
    const freeSlots = new Map<string, number>();
    for (const [workflow, limit] of workflows) {
      const executing = limit === null ? 0 : held.filter((hold) => hold.workflow === workflow).length;
      freeSlots.set(workflow, (limit ?? Infinity) - executing);
    }
    const next = new Map<string, Due>();
    const findNext = (workflow: string): void => {
      const found = freeSlots.get(workflow)! > 0 ? this.#next(workflow, now) : undefined;
      if (found) next.set(workflow, found);
      else next.delete(workflow);
    };
    for (const workflow of freeSlots.keys()) findNext(workflow);
    const first = (): Due | undefined => [...next.values()].filter((run) => run.due_at <= now).toSorted(byRank)[0];
    const runs: ClaimedRun[] = [];
    const claim = (): void => {
      for (let best = first(); best && runs.length < most; best = first()) {
        const claimed = this.#hold(best.seq);
        if (claimed) {
          runs.push(claimed);
          freeSlots.set(best.workflow, freeSlots.get(best.workflow)! - 1);
        }
        findNext(best.workflow);
      }
    };
    if (first()) await this.#transaction(claim, { isFlushed: false });
    const isMoreDue = Array.from(workflows.keys(), (workflow) => next.get(workflow) ?? this.#next(workflow, now)).some(
      (run) => run && run.due_at <= now,
    );
    const dueAt = Math.min(...Array.from(next.values(), (run) => run.due_at).filter((time) => time > now));
    return { runs, isMoreDue, ...(dueAt !== Infinity && { nextDueAt: dueAt }) };
  }

  /** The run of a workflow to claim next. If none is due, the one that becomes due next. */
  #next(workflow: string, now: number): Due | undefined {
    let soonest: Due | undefined;
    for (const first of this.#firsts(workflow)) {
      if (first.due_at <= now) return first;
      if (!soonest || first.due_at < soonest.due_at) soonest = first;
    }
    return soonest;
  }

  /**
   * The first run of each priority, due now or later, highest priority first. Each run takes one
   * index lookup, however long the queue is.
   */
  *#firsts(workflow: string): Generator<Due> {
    let priority = Number.MAX_SAFE_INTEGER;
    for (;;) {
      const first = this.#get(
        `SELECT seq, workflow, priority, due_at FROM runs
         WHERE workflow = ? AND due_at IS NOT NULL AND priority < ? ORDER BY priority DESC, due_at, seq LIMIT 1`,
        [workflow, priority],
      ) as Due | undefined;
      if (!first) return;
      yield first;
      priority = first.priority;
    }
  }

  /** Undefined if another process has just cancelled it. */
  #hold(seq: number): ClaimedRun | undefined {
    const [row] = this.#all(
      `UPDATE runs SET status = 'processing', is_held = 1, epoch = epoch + 1, due_at = NULL, due_since = NULL, retry_until = NULL,
         waiting_for = NULL, output = NULL WHERE seq = ? AND due_at IS NOT NULL RETURNING epoch, ${RUN_COLUMNS}`,
      [seq],
    ) as (RunRecord & { epoch: number })[];
    if (!row) return undefined;
    const { epoch, ...run } = row;
    // A run that is claimed for the first time has no events yet.
    const isFirstExecution = epoch === 1;
    const events = isFirstExecution ? [] : this.#events(seq, 0, `${EVENT_COLUMNS}, ${EVENT_VALUE}`);
    return { hold: { seq, epoch, workflow: run.workflow }, run, events, isFirstExecution };
  }

  async events(seq: number, after: number): Promise<EventRecord[]> {
    return this.#events(seq, after);
  }

  #events(seq: number, after: number, columns = EVENT_COLUMNS): EventRecord[] {
    const sql = `SELECT ${columns} FROM events WHERE run = ? AND n > ? ORDER BY n`;
    return this.#all(sql, [seq, after]) as EventRecord[];
  }

  async decision(seq: number, subject: string): Promise<DecisionRecord | undefined> {
    return this.#decision(seq, subject);
  }

  #decision(seq: number, subject: string): DecisionRecord | undefined {
    const sql = `SELECT ${EVENT_VALUE}, time FROM events WHERE run = ? AND type = 'decided' AND name = ?`;
    return this.#get(sql, [seq, subject]) as DecisionRecord | undefined;
  }

  async decide(
    id: string,
    subject: string,
    { valueJson, time }: DecisionRecord,
    { take }: { take: boolean },
  ): Promise<DecisionOutcome> {
    const work = (): DecisionOutcome => {
      const run = this.#byId(id);
      if (!run) return { taken: false };
      const standing = this.#decision(run.seq, subject);
      const isOpen = !standing && run.endedAt === null && (run.waitingFor ?? subject) === subject;
      if (!take || !isOpen) return { taken: false, run, ...(standing ? { decision: standing } : {}) };
      this.#recordEvent(run.seq, { type: "decided", time, name: subject, valueJson });
      if (run.waitingFor !== null) {
        const now = Date.now();
        this.#run(
          "UPDATE runs SET status = 'processing', waiting_for = NULL, output = NULL, due_at = ?, due_since = ? WHERE seq = ?",
          [now, now, run.seq],
        );
      }
      return { taken: true, run, decision: { valueJson, time } };
    };
    return take ? this.#transaction(work) : work();
  }

  #byId(id: string): RunRecord | undefined {
    return this.#get(`SELECT ${RUN_COLUMNS} FROM runs WHERE id = ?`, [id]) as RunRecord | undefined;
  }

  async byId(id: string): Promise<SeenRun | undefined> {
    return this.#seen(this.#byId(id));
  }

  async byKey(workflow: string, key: string): Promise<SeenRun | undefined> {
    const sql = `SELECT ${RUN_COLUMNS} FROM runs WHERE workflow = ? AND key = ?`;
    return this.#seen(this.#get(sql, [workflow, key]) as RunRecord | undefined);
  }

  #seen(run: RunRecord | undefined): SeenRun | undefined {
    return run && { run, events: this.#events(run.seq, 0) };
  }

  async find(query: RunQuery): Promise<SeenRun[]> {
    const { workflow, status, input, startedSince, startedBefore, withoutCompleted = [], order, after, limit } = query;
    const [beyond, direction] = order === "oldest" ? [">", "ASC"] : ["<", "DESC"];
    const conditions: [condition: string, ...values: SQLInputValue[]][] = [["TRUE"]];
    // The field's index is the best one. The plus keeps SQLite from using those of workflow and
    // status.
    const plus = input && Object.keys(input).length > 0 ? "+" : "";
    if (workflow !== undefined) conditions.push([`${plus}workflow = ?`, workflow]);
    if (status !== undefined) conditions.push([`${plus}status = ?`, status]);
    if (startedSince !== undefined) conditions.push(["created_at >= ?", startedSince]);
    if (startedBefore !== undefined) conditions.push(["created_at < ?", startedBefore]);
    for (const name of withoutCompleted) conditions.push(["NOT (workflow = ? AND status = 'completed')", name]);
    for (const [field, value] of Object.entries(input ?? {})) {
      // The index is only used for exactly its expression. Names with other characters have no
      // index.
      if (/^\w+$/.test(field)) conditions.push([`${inputField(field)} = ?`, value]);
      else conditions.push(["json_extract(input, ?) = ?", `$.${JSON.stringify(field)}`, value]);
    }
    if (after !== undefined) {
      conditions.push([`(created_at, seq) ${beyond} (SELECT created_at, seq FROM runs WHERE id = ?)`, after]);
    }
    const rows = this.#file.database
      .prepare(
        `SELECT ${RUN_COLUMNS} FROM runs WHERE ${conditions.map(([condition]) => condition).join(" AND ")}
         ORDER BY created_at ${direction}, seq ${direction} LIMIT ?`,
      )
      .all(...conditions.flatMap(([, ...values]) => values), limit) as unknown as RunRecord[];
    return rows.map((run) => this.#seen(run)!);
  }

  async counts(): Promise<RunCounts[]> {
    const now = Date.now();
    const rows = this.#all("SELECT workflow, status, count(*) AS count FROM runs GROUP BY workflow, status", []);
    const waiting = this.#all(OLDEST_WAITING, []) as { workflow: string; since: number }[];
    const since = new Map(waiting.map((row) => [row.workflow, row.since]));
    return toCounts(rows as CountRow[], (workflow) => ({
      dueForMs: now - Math.min(...Array.from(this.#firsts(workflow), (run) => run.due_at)),
      waitedForMs: since.has(workflow) ? now - since.get(workflow)! : null,
    }));
  }

  async forget(id: string): Promise<boolean> {
    return this.#transaction(() => {
      const [row] = this.#all(`DELETE FROM runs WHERE id = ? AND ${HAS_ENDED} RETURNING seq`, [id]) as {
        seq: number;
      }[];
      if (row) this.#run("DELETE FROM events WHERE run = ?", [row.seq]);
      return row !== undefined;
    });
  }

  async retry(id: string): Promise<boolean> {
    return this.#transaction(() => this.#resume(id));
  }

  #resume(id: string, availableAt?: number): boolean {
    const now = Date.now();
    const [resumed] = this.#all(
      `UPDATE runs SET status = 'started', resumed_at = max(?, coalesce(resumed_at + 1, 0)),
         due_at = ?, due_since = ?, ended_at = NULL, error = NULL WHERE id = ? AND status IN ('failed', 'cancelled') RETURNING seq`,
      [now, availableAt ?? now, now, id],
    ) as { seq: number }[];
    if (!resumed) return this.#hasten(now, "id = ?", [id]);
    this.#recordEvent(resumed.seq, { type: "resumed", time: now });
    return true;
  }

  async hastenRetries(): Promise<boolean> {
    return this.#transaction(() => this.#hasten(Date.now(), "TRUE", []));
  }

  #hasten(now: number, condition: string, values: readonly SQLInputValue[]): boolean {
    const changes = this.#run(
      `UPDATE runs SET due_at = min(due_at, ?) WHERE due_at IS NOT NULL AND retry_until IS NOT NULL AND ${condition}`,
      [now, ...values],
    );
    return changes > 0;
  }

  async cancel(id: string): Promise<"cancelled" | "requested" | undefined> {
    return this.#transaction(() => {
      const row = this.#get(`SELECT seq, is_held FROM runs WHERE id = ? AND NOT ${HAS_ENDED}`, [id]) as
        | { seq: number; is_held: 0 | 1 }
        | undefined;
      if (!row) return undefined;
      const { seq } = row;
      if (row.is_held === 0) {
        this.#recordEvent(seq, this.#endCancelled(seq));
        return "cancelled";
      }
      this.#run("UPDATE runs SET cancel_requested = 1 WHERE seq = ?", [seq]);
      return "requested";
    });
  }

  announce(): void {}

  /** Other processes don't notify us, but SQLite knows whether they have written. */
  listen(listener: (id: undefined) => void): void {
    let known = this.#dataVersion();
    this.#changePoll = setInterval(() => {
      const version = this.#dataVersion();
      if (version === known) return;
      known = version;
      listener(undefined);
    }, CHANGE_POLL_MS).unref();
  }

  /**
   * Changes with each commit of another connection
   * (https://sqlite.org/pragma.html#pragma_data_version).
   */
  #dataVersion(): unknown {
    try {
      return (this.#get("PRAGMA data_version", []) as { data_version: number }).data_version;
    } catch {
      // Problems with the file are reported where it is used.
      return undefined;
    }
  }

  async leaveQueue(): Promise<void> {}

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#changePoll);
    this.#file.leave("runs");
  }

  /** Makes the runs of a dead worker due at once. Only for the process that holds the lock. */
  #freeHeld(): void {
    const now = Date.now();
    this.#file.transaction(() => {
      this.#run("UPDATE runs SET is_held = 0, due_at = ?, due_since = ? WHERE is_held", [now, now]);
    });
    this.#followClock(now);
  }

  /**
   * After the clock was set back: what was written at a future time is due now. A start that was
   * scheduled for later stays scheduled.
   */
  #followClock(now: number): void {
    this.#run(
      `UPDATE runs SET due_at = ?, due_since = ?
       WHERE due_at > ? AND due_since > ? AND (status <> 'started' OR due_at <= due_since)`,
      [now, now, now, now],
    );
  }

  /**
   * @param onUnflushed gets the result of a transaction that was committed but could not be flushed
   */
  async #transaction<Result>(
    work: () => Result,
    options: TransactionOptions = {},
    onUnflushed?: (result: Result) => void,
  ): Promise<Result> {
    try {
      return this.#file.transaction(work, options);
    } catch (error) {
      if (!(error instanceof FlushError)) throw error;
      // The transaction is committed and must not be repeated: only repeat the flush.
      const result = error.result as Result;
      await this.#flushAgain(error).catch((cause: unknown) => {
        onUnflushed?.(result);
        throw cause;
      });
      return result;
    }
  }

  async #flushAgain(error: FlushError): Promise<void> {
    for (let attempt = 1; attempt <= FLUSH_RETRY.attempts; attempt += 1) {
      await setTimeout(FLUSH_RETRY.delayMs);
      try {
        return this.#file.flush();
      } catch {
        // The first error is the one to report.
      }
    }
    throw error.cause;
  }

  #run(sql: string, values: readonly SQLInputValue[]): number {
    return this.#file.run(sql, ...values);
  }

  #get(sql: string, values: readonly SQLInputValue[]): unknown {
    return this.#file.get(sql, ...values);
  }

  #all(sql: string, values: readonly SQLInputValue[]): unknown[] {
    return this.#file.all(sql, ...values);
  }
}

/** Whatever follows the write that releases the run is lost. */
function untilReleased(writes: readonly RunWrite[], outcomeOf: (write: RunWrite) => WriteOutcome): WriteOutcome[] {
  const end = releaseAt(writes);
  return writes.map((write, at) => (at > end ? "lost" : outcomeOf(write)));
}

const unreadable = (message: string): ValidationError => new ValidationError(message, { code: "engine_unreadable" });

function unusable(path: string, { reason }: UnusableFileError): ValidationError {
  switch (reason) {
    case "newer":
      return unreadable(`The runs in ${path} were written by a newer version of abi-workflows. Use that version.`);
    case "earlier":
      return unreadable(
        `The runs in ${path} were written by an earlier build of abi-workflows, which stored them in another format. Move the file away, ` +
          "with those beside it (-wal, -shm), and resubmit the runs that had not ended.",
      );
    case "foreign":
      return unreadable(
        `The file ${path} contains another application's data and no runs. Name another data directory.`,
      );
  }
}

function openingError(path: string, cause: unknown): Error {
  if (isAbiError(cause)) return cause;
  if (cause instanceof UnusableFileError) return unusable(path, cause);
  const fault = sqliteFault(cause);
  const advice =
    fault === "damaged"
      ? "it is damaged, or not a SQLite file. Replace it with a backup, or name another data directory."
      : fault === "full"
        ? "its disk is full. Free some space."
        : "check that it is a file, that it and its folder can be written, and that its disk is not read-only.";
  return new IoError(`The workflow database ${path} cannot be opened: ${advice}`, {
    code: "engine_unavailable",
    cause,
  });
}

const inputField = (field: string): string => `json_extract(input, '$."${field}"')`;

/** Higher priority first, then the longest due, then the first accepted. */
const byRank = (one: Due, other: Due): number =>
  other.priority - one.priority || one.due_at - other.due_at || one.seq - other.seq;
