/**
 * The handlers that Restate calls in this process. They belong to three kinds of virtual objects:
 *
 * | object       | key    | what it stores                                          |
 * | ------------ | ------ | ------------------------------------------------------- |
 * | `runs`       | run id | the run, its input and decisions (`run-state.ts`)       |
 * | `executions` | run id | the events of its steps                                 |
 * | `places`     | queue  | the runs that have a place, and those that wait for one |
 *
 * For each key of an object, Restate runs one call at a time, but a call that it has cut off may
 * still be running here when the next one starts.
 *
 * **The journal of `execute`** is a list of batches. Each batch is what our execution
 * (`execution.ts`) has done since the last one, returned by one `ctx.run`. After a crash, Restate
 * replays the batches, and our execution finds the results in them by the names of the steps. So
 * steps may run in another order on a replay, and changed workflow code can't contradict the
 * journal. With one `ctx.run` for each step, both would be errors.
 *
 * **The handlers' calls on `ctx`, their order and their parameters are a format.** A call that
 * another process began is replayed here, perhaps by a newer version, and Restate refuses to
 * continue if the calls differ. So the calls may depend only on the handler's parameter, the state,
 * and what a `ctx.run` returned. A setting of this process, for example, is read in a `ctx.run`. To
 * change a handler's calls on `ctx`, add a handler with a new name, use that one from now on, and
 * keep the old one until it has no unfinished calls.
 *
 * **Restate runs a limited number of calls at a time** on each partition
 * (`concurrent-invocations-limit`, 1,000 by default). A call of `execute` counts even while its run
 * waits for a slot of this process. The calls that begin and end an execution count as well: if
 * waiting calls left no room for them, everything would wait forever. Therefore a process that has
 * `ROOM_PER_SLOT` calls of `execute` open for each of its slots lets further runs queue in
 * `places`, where they don't count. Of further calls, it keeps open only those whose run already
 * has a place. A workflow with a limit has as many places as its limit; workflows without one share
 * `NO_LIMIT_PLACES`.
 */
import type * as Restate from "@restatedev/restate-sdk";
import type { Accepted, DecisionRecord, EventRecord, RunRecord, WriteOutcome } from "../run-store.ts";
import { HeldRun, type Rank, type StepBatch } from "./held-run.ts";
import type { ServiceNames } from "./names.ts";
import {
  accept,
  cancel,
  claim,
  decide,
  release,
  resume,
  toRecord,
  type Release,
  type RunState,
  type Submission,
} from "./run-state.ts";

/**
 * If an execution stores nothing for this long, Restate asks it to suspend, which a running step
 * can't do. After the same time again, Restate aborts the call.
 */
const LONGEST_STEP = { days: 7 };

/**
 * How Restate retries calls while a worker is unavailable or restarting: soon at first, then every
 * two seconds.
 */
const RETRIES = {
  initialInterval: 50,
  exponentiationFactor: 2,
  maxInterval: 2000,
  maxAttempts: 1_000_000,
  onMaxAttempts: "pause",
} as const;

/**
 * Nothing about a finished invocation needs to be retained: the state of the objects has
 * everything.
 */
const OPTIONS = { journalRetention: 0, idempotencyRetention: { minutes: 1 }, retryPolicy: RETRIES };

/** How many calls of `execute` a process keeps open for each slot: one is executed, one waits. */
export const ROOM_PER_SLOT = 2;
/**
 * The key of the queue for workflows without a limit. The queue of a workflow with a limit has the
 * workflow's name.
 */
const NO_LIMIT = "*";
/**
 * How many places that queue has, in all processes together. A run gives its place back once it has
 * begun.
 */
const NO_LIMIT_PLACES = 256;
/** How many runs one call of `places` sends out at most. */
const MOST_SENT = 100;
/**
 * If this process doesn't know a run's workflow, the run is sent out again after this time, because
 * another process may know it. Milliseconds.
 */
const ELSEWHERE_MS = 5000;

/**
 * A call whose caller waits until the time `until` (milliseconds since 1970), and then reports that
 * the call failed.
 */
export interface Timely {
  readonly until: number;
}

/** The answer to a call that comes too late: nothing was done. */
export const LATE = "late";
export type Answer<Given> = Given | typeof LATE;

/** What `take` returns to an execution. */
interface ClaimedState {
  readonly run: RunRecord;
  readonly rank: Rank;
  readonly events: readonly EventRecord[];
  readonly lastEvent: number;
}

interface ExecuteRequest {
  readonly workflow: string;
  readonly token: string;
  readonly priority: number;
  /** The queue that gave it a place, which it must give back; null if it needs none. */
  readonly place: string | null;
}

interface PlaceRequest {
  readonly id: string;
  readonly workflow: string;
  readonly token: string;
  readonly priority: number;
  readonly limit: number;
}

/**
 * What the called process reports first: the limit of the workflow, and whether it can keep the
 * call open.
 */
interface Reception {
  readonly limit: number | null;
  readonly hasRoom: boolean;
}

/**
 * The state of a queue. The requests of waiting runs have entries of their own, numbered within
 * their priority, so that what each call reads stays small.
 */
interface Places {
  /** The tokens of the executions that have a place. */
  readonly atWork: readonly string[];
  /**
   * By priority: the number of the first waiting run, and the number for the next one to arrive.
   */
  readonly queues: Readonly<Record<string, readonly [first: number, next: number]>>;
  /** The limit of the last call that named one. */
  readonly limit: number;
}

/** Gives back the place of an execution. */
interface Leave {
  readonly token: string;
  /** The limit of the queue; null if it is as before. */
  readonly limit: number | null;
}

/** JSON that is passed on without being parsed. */
const text: Restate.Serde<string> = {
  contentType: "application/json",
  serialize: (value) => new TextEncoder().encode(value),
  deserialize: (bytes) => new TextDecoder().decode(bytes),
};

const json = <Value>(): Restate.Serde<Value> => ({
  contentType: "application/json",
  serialize: (value) => text.serialize(value === undefined ? "" : JSON.stringify(value)),
  deserialize: (bytes) => JSON.parse(text.deserialize(bytes)) as Value,
});

export interface ServiceDependencies {
  readonly restate: typeof Restate;
  readonly names: ServiceNames;
  /**
   * The workflows that this process executes, and for each the limit on its concurrent runs in all
   * processes together.
   */
  readonly workflows: ReadonlyMap<string, number | null>;
  /** How many runs this process executes at a time. */
  readonly slots: number;
  /** The number of the next hand-over. */
  readonly nextSeq: () => number;
  /** Called with each run that Restate hands to this process for execution. */
  readonly hand: (held: HeldRun) => void;
}

export function createServices({ restate, names, workflows, slots, nextSeq, hand }: ServiceDependencies) {
  /** Calls of `execute` that are open here. */
  let open = 0;

  const send = (
    ctx: Restate.Context,
    call: { service: string; method: string; key: string; parameter: unknown },
    delay = 0,
  ) => {
    ctx.genericSend({ ...call, inputSerde: json<unknown>(), ...(delay > 0 && { delay }) });
  };

  const ask = (ctx: Restate.Context, queue: string, request: PlaceRequest, delay = 0): void =>
    send(ctx, { service: names.places, method: "ask", key: queue, parameter: request }, delay);

  /** @param limit the queue's limit; null leaves it as it is */
  const free = (ctx: Restate.Context, queue: string, token: string, limit: number | null): void =>
    send(ctx, { service: names.places, method: "free", key: queue, parameter: { token, limit } satisfies Leave });

  const execute = (ctx: Restate.Context, id: string, request: ExecuteRequest, delay = 0): void =>
    send(ctx, { service: names.executions, method: "execute", key: id, parameter: request }, delay);

  /** Stores the new state of a run, and requests its execution for when it is due. */
  const save = async (
    ctx: Restate.ObjectContext,
    known: RunState | undefined,
    state: RunState,
    time: number,
  ): Promise<void> => {
    ctx.set("run", state);
    if (!state.due || state.due.token === known?.due?.token) return;
    const { workflow, priority, due } = state;
    const delay = Math.max(0, due.at - time);
    const limit = await ctx.run("limit", () => workflows.get(workflow) ?? null);
    if (limit === null) execute(ctx, ctx.key, { workflow, token: due.token, priority, place: null }, delay);
    else ask(ctx, workflow, { id: ctx.key, workflow, token: due.token, priority, limit }, delay);
  };

  /**
   * Makes a handler that does nothing if the caller has given up by now and has reported a failure.
   */
  const inTime =
    <Given extends object, Result>(handler: (ctx: Restate.ObjectContext, given: Given) => Promise<Result>) =>
    async (ctx: Restate.ObjectContext, given: Given & Timely): Promise<Answer<Result>> => {
      const isLate = await ctx.run("late", () => Date.now() > given.until);
      return isLate ? LATE : handler(ctx, given);
    };

  const known = async (ctx: Restate.ObjectContext): Promise<RunState | undefined> =>
    (await ctx.get<RunState>("run")) ?? undefined;

  const runs = restate.object({
    name: names.runs,
    handlers: {
      accept: async (ctx: Restate.ObjectContext, submission: Submission): Promise<Accepted["outcome"]> => {
        const before = await known(ctx);
        const { outcome, state } = accept(before, submission, ctx.rand.uuidv4());
        if (!before && state) ctx.set("input", submission.run.inputJson, text);
        if (state) await save(ctx, before, state, submission.time);
        return outcome;
      },
      retry: inTime(async (ctx, { time }: { time: number }): Promise<boolean> => {
        const before = await known(ctx);
        const state = before && resume(before, time, ctx.rand.uuidv4());
        if (state) await save(ctx, before, state, time);
        return state !== undefined;
      }),
      decide: inTime(
        async (
          ctx,
          { subject, decision }: { subject: string; decision: DecisionRecord },
        ): Promise<{ before: RunState | null; taken: boolean }> => {
          const before = await known(ctx);
          const state = before && decide(before, subject, decision, ctx.rand.uuidv4());
          if (state) await save(ctx, before, state, decision.time);
          return { before: before ?? null, taken: state !== undefined };
        },
      ),
      cancel: inTime(async (ctx, { time }: { time: number }): Promise<"cancelled" | "requested" | null> => {
        const before = await known(ctx);
        const state = before && cancel(before, time);
        if (!state) return null;
        await save(ctx, before, state, time);
        if (!state.held) return "cancelled";
        if (!before.isCancelRequested) ctx.resolveAwakeable(state.held.cancelling);
        return "requested";
      }),
      forget: inTime(async (ctx): Promise<boolean> => {
        const state = await known(ctx);
        if (!state || state.endedAt === null) return false;
        ctx.clearAll();
        send(ctx, { service: names.executions, method: "forget", key: ctx.key, parameter: undefined });
        return true;
      }),
      /** Makes a run due again if its execution is gone because someone killed the call. */
      abandon: async (ctx: Restate.ObjectContext, left: Release): Promise<boolean> => {
        const before = await known(ctx);
        if (!before?.held || before.held.token !== left.token) return false;
        const { state } = release(before, left, ctx.rand.uuidv4());
        const { place } = before.held;
        const limit = await ctx.run("limit of its place", () => workflows.get(state.workflow) ?? null);
        // The shared queue keeps its limit. So does a workflow's queue if this process knows no limit
        // for the workflow.
        if (place !== null) free(ctx, place, left.token, place === NO_LIMIT ? null : limit);
        await save(ctx, before, state, left.time);
        return true;
      },
      /** Claims the run. The name of this handler is part of the format. */
      take: restate.createObjectHandler(
        { ingressPrivate: true },
        async (ctx: Restate.ObjectContext, holder: NonNullable<RunState["held"]>): Promise<ClaimedState | null> => {
          const before = await known(ctx);
          const state = before && claim(before, holder);
          if (!state) return null;
          ctx.set("run", state);
          const inputJson = (await ctx.get("input", text))!;
          const rank = { priority: state.priority, dueAt: before.due!.at };
          return { run: toRecord(ctx.key, state, inputJson), rank, events: state.events, lastEvent: state.lastEvent };
        },
      ),
      release: restate.createObjectHandler(
        { ingressPrivate: true },
        async (ctx: Restate.ObjectContext, left: Release): Promise<WriteOutcome> => {
          const before = (await known(ctx))!;
          const { outcome, state } = release(before, left, ctx.rand.uuidv4());
          if (outcome !== "lost") await save(ctx, before, state, left.time);
          return outcome;
        },
      ),
    },
    options: OPTIONS,
  });

  /**
   * Claims the run and has it executed here.
   * @param begun called once the first batch is stored
   */
  const executeHere = async (
    ctx: Restate.ObjectContext,
    { token, place }: ExecuteRequest,
    begun: () => void,
  ): Promise<void> => {
    const { id: cancelling, promise: cancelled } = ctx.awakeable<null>();
    const claimed = await ctx.genericCall<NonNullable<RunState["held"]>, ClaimedState | null>({
      service: names.runs,
      method: "take",
      key: ctx.key,
      parameter: { token, cancelling, invocation: ctx.request().id, place },
      inputSerde: json(),
      outputSerde: json(),
    });
    if (!claimed) return;
    const steps = await stepEvents(ctx);
    const held = new HeldRun(
      nextSeq(),
      claimed.run,
      claimed.rank,
      [...claimed.events, ...steps].toSorted((one, other) => one.n - other.n),
    );
    const onLost = (): void => held.lose();
    ctx.request().attemptCompletedSignal.addEventListener("abort", onLost, { once: true });
    try {
      await storeBatches(ctx, held, cancelled, { token, lastEvent: claimed.lastEvent, begun });
    } finally {
      held.lose();
    }
  };

  /** Stores batches, up to and including the one that releases the run. */
  const storeBatches = async (
    ctx: Restate.ObjectContext,
    held: HeldRun,
    cancelled: Restate.RestatePromise<null>,
    { token, lastEvent, begun }: { token: string; lastEvent: number; begun: () => void },
  ): Promise<void> => {
    let isHanded = false;
    let isCancelled = false;
    let last = lastEvent;
    for (let index = 0; ; index += 1) {
      const storing = ctx.run(`batch ${index}`, (): Promise<StepBatch> => {
        // Only once the batches of earlier attempts have been replayed.
        if (!isHanded) hand(held);
        isHanded = true;
        return held.collect();
      });
      if (!isCancelled) {
        isCancelled = await restate.RestatePromise.race([storing.map(() => false), cancelled.map(() => true)]);
        if (isCancelled) held.cancel();
      }
      const batch = await storing;
      if (index === 0) begun();
      const events = batch.events.map((event) => ({ ...event, n: last + event.n }));
      last += events.length;
      if (events.length > 0) keepEvents(ctx, events);
      if (!batch.release) {
        held.settle(events);
        continue;
      }
      const outcome = await ctx.genericCall<Release, WriteOutcome>({
        service: names.runs,
        method: "release",
        key: ctx.key,
        parameter: { ...batch.release, token, lastEvent: last },
        inputSerde: json(),
        outputSerde: json(),
      });
      held.settle(events, outcome);
      return;
    }
  };

  const executions = restate.object({
    name: names.executions,
    handlers: {
      execute: async (ctx: Restate.ObjectContext, request: ExecuteRequest): Promise<void> => {
        const { workflow, token, priority, place } = request;
        const wasFull = open >= ROOM_PER_SLOT * slots;
        open += 1;
        ctx.request().attemptCompletedSignal.addEventListener("abort", () => (open -= 1), { once: true });
        const reception = await ctx.run("reception", (): Reception | null => {
          const limit = workflows.get(workflow);
          return limit === undefined ? null : { limit, hasRoom: !wasFull };
        });
        // Send it out again, because a call that waits here would count towards the server's limit.
        if (!reception) return execute(ctx, ctx.key, request, ELSEWHERE_MS);
        const { limit, hasRoom } = reception;
        const wanted = { id: ctx.key, workflow, token, priority };
        let kept = place;
        const giveBack = (): void => {
          if (kept !== null) free(ctx, kept, token, kept === NO_LIMIT ? null : (limit ?? NO_LIMIT_PLACES));
          kept = null;
        };
        // The run was queued before the workflow had a limit, or accepted by a process that doesn't
        // know the limit.
        if (limit !== null && place !== workflow) {
          giveBack();
          return ask(ctx, workflow, { ...wanted, limit });
        }
        if (place === null && !hasRoom) return ask(ctx, NO_LIMIT, { ...wanted, limit: NO_LIMIT_PLACES });
        await executeHere(ctx, request, () => {
          if (place === NO_LIMIT) giveBack();
        });
        giveBack();
      },
      forget: async (ctx: Restate.ObjectContext): Promise<void> => ctx.clearAll(),
    },
    options: { ...OPTIONS, ingressPrivate: true, inactivityTimeout: LONGEST_STEP, abortTimeout: LONGEST_STEP },
  });

  const places = restate.object({
    name: names.places,
    handlers: {
      ask: async (ctx: Restate.ObjectContext, request: PlaceRequest): Promise<void> => {
        const { atWork, queues } = await placesOf(ctx);
        const queue = String(request.priority);
        const [first, next] = queues[queue] ?? [0, 0];
        ctx.set(entryOf(queue, next), request);
        const { limit } = request;
        ctx.set("places", await filled(ctx, { atWork, queues: { ...queues, [queue]: [first, next + 1] }, limit }));
      },
      free: async (ctx: Restate.ObjectContext, { token, limit }: Leave): Promise<void> => {
        const places = await placesOf(ctx);
        const atWork = places.atWork.filter((other) => other !== token);
        ctx.set("places", await filled(ctx, { ...places, atWork, limit: limit ?? places.limit }));
      },
    },
    options: { ...OPTIONS, ingressPrivate: true, enableLazyState: true },
  });

  /** Gives free places to waiting runs: the highest priority first, then in order of arrival. */
  const filled = async (ctx: Restate.ObjectContext, places: Places): Promise<Places> => {
    const { limit } = places;
    const atWork = [...places.atWork];
    const queues = { ...places.queues };
    for (let sent = 0; atWork.length < limit; sent += 1) {
      const [queue] = Object.keys(queues).toSorted((one, other) => Number(other) - Number(one));
      if (queue === undefined) break;
      if (sent === MOST_SENT) {
        free(ctx, ctx.key, "", null);
        break;
      }
      const [first, next] = queues[queue]!;
      const entry = entryOf(queue, first);
      const { id, workflow, token, priority } = (await ctx.get<PlaceRequest>(entry))!;
      ctx.clear(entry);
      execute(ctx, id, { workflow, token, priority, place: ctx.key });
      atWork.push(token);
      if (first + 1 === next) delete queues[queue];
      else queues[queue] = [first + 1, next];
    }
    return { atWork, queues, limit };
  };

  return [runs, executions, places];
}

const placesOf = async (ctx: Restate.ObjectContext): Promise<Places> => ({
  atWork: [],
  queues: {},
  limit: NO_LIMIT_PLACES,
  ...(await ctx.get<Partial<Places>>("places")),
});

const entryOf = (queue: string, number: number): string => `waiting ${queue} ${number}`;

/**
 * The keys of entries that hold events of steps begin with this. What the steps returned is stored
 * separately (`VALUES`), because callers who only watch a run don't need it.
 */
export const EVENTS = "events ";
const VALUES = "values ";

function keepEvents(ctx: Restate.ObjectContext, events: readonly EventRecord[]): void {
  const at = String(events[0]!.n).padStart(9, "0");
  const values = events.flatMap(({ n, valueJson }) => (valueJson == null ? [] : [[n, valueJson]]));
  ctx.set(
    EVENTS + at,
    events.map(({ valueJson: _value, ...event }) => event),
  );
  if (values.length > 0) ctx.set(VALUES + at, Object.fromEntries(values));
}

/** The events of a run's steps, with the steps' results. */
async function stepEvents(ctx: Restate.ObjectContext): Promise<EventRecord[]> {
  const keys = await ctx.stateKeys();
  const parts = <Part>(prefix: string): Promise<Part[]> =>
    Promise.all(keys.filter((key) => key.startsWith(prefix)).map(async (key) => (await ctx.get<Part>(key))!));
  const events = (await parts<EventRecord[]>(EVENTS)).flat();
  const values: Record<number, string> = Object.assign({}, ...(await parts<Record<number, string>>(VALUES)));
  return events.map((event) => Object.assign(event, { valueJson: values[event.n] ?? null }));
}
