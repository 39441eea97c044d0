/**
 * The handlers that Restate calls in this process. There are three kinds of virtual objects. In
 * each, one call at a time runs for each key, but Restate may have cut off one call and started
 * another while the first still runs:
 *
 * | object       | key      | what it stores                                      | its handlers                           |
 * | ------------ | -------- | --------------------------------------------------- | -------------------------------------- |
 * | `runs`       | run id   | the run, its input, decisions (`run-state.ts`)      | short                                  |
 * | `executions` | run id   | the events of its steps                             | `execute` lasts as long as an execution |
 * | `places`     | workflow | the running and the waiting runs, if it has a limit | short                                  |
 *
 * **The journal of `execute`** is only a list of batches. Each contains what our execution
 * (`execution.ts`) has written since the last one, and is returned by one `ctx.run`. After a crash,
 * Restate replays the batches, and our execution continues from them by the names of the steps. One
 * `ctx.run` for each step would require the handler to make its calls in the same order at every
 * replay. With batches, the order may differ, and changed code can't contradict the journal.
 */
import type * as Restate from "@restatedev/restate-sdk";
import type { Accepted, DecisionRecord, EventRecord, RunRecord, WriteOutcome } from "../run-store.ts";
import { HeldRun, type Rank, type StepBatch } from "./held-run.ts";
import type { ServiceNames } from "./names.ts";
import {
  accept,
  cancel,
  decide,
  release,
  resume,
  take,
  toRecord,
  type Release,
  type RunState,
  type Submission,
} from "./run-state.ts";

/**
 * How long a step may take without writing anything. After that, Restate asks for a suspension,
 * which a running step can't obey, and then aborts it.
 */
const LONGEST_STEP = { days: 7 };

/**
 * For dependencies that are unavailable or restarting: soon at first, and then about as often as
 * everything else here polls.
 */
const RETRIES = { initialInterval: 50, exponentiationFactor: 2, maxInterval: 2000, maxAttempts: 1_000_000 };

/**
 * Nothing about a finished invocation needs to be retained: the state of the objects has
 * everything.
 */
const OPTIONS = { journalRetention: 0, idempotencyRetention: { minutes: 1 }, retryPolicy: RETRIES };

/** What an execution gets from `take`. */
interface Taken {
  readonly run: RunRecord;
  readonly rank: Rank;
  readonly events: readonly EventRecord[];
  readonly lastEvent: number;
}

interface ExecuteRequest {
  readonly workflow: string;
  readonly token: string;
  readonly priority: number;
  /** Whether it occupies a slot of its workflow's limit, which it must free. */
  readonly isPlaced: boolean;
}

interface PlaceRequest {
  readonly id: string;
  readonly token: string;
  readonly priority: number;
  readonly limit: number;
}

/**
 * Waiting runs have entries of their own, numbered within their priority, so the state that each
 * call reads stays small.
 */
interface Places {
  readonly atWork: readonly string[];
  /**
   * By priority: the number of the first waiting run, and the number for the next one to arrive.
   */
  readonly queues: Readonly<Record<string, readonly [first: number, next: number]>>;
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
  /** Numbers the calls from Restate. */
  readonly nextSeq: () => number;
  /** Called with each run that Restate hands to this process for execution. */
  readonly hand: (held: HeldRun) => void;
}

export function createServices({ restate, names, workflows, nextSeq, hand }: ServiceDependencies) {
  const send = (
    ctx: Restate.Context,
    call: { service: string; method: string; key: string; parameter: unknown },
    delay = 0,
  ) => {
    ctx.genericSend({ ...call, inputSerde: json<unknown>(), ...(delay > 0 && { delay }) });
  };

  const ask = (ctx: Restate.Context, workflow: string, request: PlaceRequest, delay = 0): void =>
    send(ctx, { service: names.places, method: "ask", key: workflow, parameter: request }, delay);

  const execute = (ctx: Restate.Context, id: string, request: ExecuteRequest, delay = 0): void =>
    send(ctx, { service: names.executions, method: "execute", key: id, parameter: request }, delay);

  /** Stores the new state of a run, and makes sure that the run is executed when it is due. */
  const save = (ctx: Restate.ObjectContext, known: RunState | undefined, state: RunState, time: number): void => {
    ctx.set("run", state);
    if (!state.due || state.due.token === known?.due?.token) return;
    const { workflow, priority, due } = state;
    const delay = Math.max(0, due.at - time);
    const limit = workflows.get(workflow) ?? null;
    if (limit === null) execute(ctx, ctx.key, { workflow, token: due.token, priority, isPlaced: false }, delay);
    else ask(ctx, workflow, { id: ctx.key, token: due.token, priority, limit }, delay);
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
        if (state) save(ctx, before, state, submission.time);
        return outcome;
      },
      has: restate.createObjectSharedHandler(
        async (ctx: Restate.ObjectSharedContext): Promise<boolean> => (await ctx.get("run")) !== null,
      ),
      retry: async (ctx: Restate.ObjectContext, { time }: { time: number }): Promise<boolean> => {
        const before = await known(ctx);
        const state = before && resume(before, time, ctx.rand.uuidv4());
        if (state) save(ctx, before, state, time);
        return state !== undefined;
      },
      decide: async (
        ctx: Restate.ObjectContext,
        { subject, decision }: { subject: string; decision: DecisionRecord },
      ): Promise<{ before: RunState | null; taken: boolean }> => {
        const before = await known(ctx);
        const state = before && decide(before, subject, decision, ctx.rand.uuidv4());
        if (state) save(ctx, before, state, decision.time);
        return { before: before ?? null, taken: state !== undefined };
      },
      cancel: async (
        ctx: Restate.ObjectContext,
        { time }: { time: number },
      ): Promise<"cancelled" | "requested" | null> => {
        const before = await known(ctx);
        const state = before && cancel(before, time);
        if (!state) return null;
        save(ctx, before, state, time);
        if (!state.held) return "cancelled";
        if (!before.isCancelRequested) ctx.resolveAwakeable(state.held.cancelling);
        return "requested";
      },
      forget: async (ctx: Restate.ObjectContext): Promise<boolean> => {
        const state = await known(ctx);
        if (!state || state.endedAt === null) return false;
        ctx.clearAll();
        send(ctx, { service: names.executions, method: "forget", key: ctx.key, parameter: undefined });
        return true;
      },
      take: restate.createObjectHandler(
        { ingressPrivate: true },
        async (
          ctx: Restate.ObjectContext,
          { token, cancelling }: { token: string; cancelling: string },
        ): Promise<Taken | null> => {
          const before = await known(ctx);
          const state = before && take(before, token, cancelling);
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
          if (outcome !== "lost") save(ctx, before, state, left.time);
          return outcome;
        },
      ),
    },
    options: OPTIONS,
  });

  const executed = async (ctx: Restate.ObjectContext, token: string): Promise<void> => {
    const { id: cancelling, promise: cancelled } = ctx.awakeable<null>();
    const taken = await ctx.genericCall<{ token: string; cancelling: string }, Taken | null>({
      service: names.runs,
      method: "take",
      key: ctx.key,
      parameter: { token, cancelling },
      inputSerde: json(),
      outputSerde: json(),
    });
    if (!taken) return;
    const steps = await stepEvents(ctx);
    const held = new HeldRun(
      nextSeq(),
      taken.run,
      taken.rank,
      [...taken.events, ...steps].toSorted((one, other) => one.n - other.n),
    );
    const onLost = (): void => held.lose();
    ctx.request().attemptCompletedSignal.addEventListener("abort", onLost, { once: true });
    try {
      await batches(ctx, held, cancelled, { token, lastEvent: taken.lastEvent });
    } finally {
      held.lose();
    }
  };

  /** Stores batches until one leaves the run. */
  const batches = async (
    ctx: Restate.ObjectContext,
    held: HeldRun,
    cancelled: Restate.RestatePromise<null>,
    { token, lastEvent }: { token: string; lastEvent: number },
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
      execute: async (
        ctx: Restate.ObjectContext,
        { workflow, token, priority, isPlaced }: ExecuteRequest,
      ): Promise<void> => {
        const limit = workflows.get(workflow);
        if (limit === undefined) throw new Error(`this process does not execute the workflow ${workflow}`);
        // The process that accepted the run did not know the limit.
        if (limit !== null && !isPlaced) return ask(ctx, workflow, { id: ctx.key, token, priority, limit });
        await executed(ctx, token);
        if (isPlaced) send(ctx, { service: names.places, method: "free", key: workflow, parameter: { token, limit } });
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
        const waiting: Places = { atWork, queues: { ...queues, [queue]: [first, next + 1] } };
        ctx.set("places", await filled(ctx, waiting, request.limit));
      },
      free: async (
        ctx: Restate.ObjectContext,
        { token, limit }: { token: string; limit: number | null },
      ): Promise<void> => {
        const { atWork, queues } = await placesOf(ctx);
        const left: Places = { atWork: atWork.filter((other) => other !== token), queues };
        ctx.set("places", await filled(ctx, left, limit ?? Infinity));
      },
    },
    options: { ...OPTIONS, ingressPrivate: true, enableLazyState: true },
  });

  /**
   * Gives free slots to waiting runs: the highest priority first, then in the order of their
   * arrival.
   */
  const filled = async (ctx: Restate.ObjectContext, { atWork, queues }: Places, limit: number): Promise<Places> => {
    const [queue, [first, next]] = Object.entries(queues).toSorted(([a], [b]) => Number(b) - Number(a))[0] ?? [
      "",
      [0, 0],
    ];
    if (atWork.length >= limit || first === next) return { atWork, queues };
    const entry = entryOf(queue, first);
    const { id, token, priority } = (await ctx.get<PlaceRequest>(entry))!;
    ctx.clear(entry);
    execute(ctx, id, { workflow: ctx.key, token, priority, isPlaced: true });
    const { [queue]: _, ...others } = queues;
    const left = first + 1 === next ? others : { ...queues, [queue]: [first + 1, next] as const };
    return filled(ctx, { atWork: [...atWork, token], queues: left }, limit);
  };

  return [runs, executions, places];
}

const placesOf = async (ctx: Restate.ObjectContext): Promise<Places> =>
  (await ctx.get<Places>("places")) ?? { atWork: [], queues: {} };

const entryOf = (queue: string, number: number): string => `waiting ${queue} ${number}`;

/**
 * The events of one batch. What the steps returned is stored separately, because callers who only
 * watch a run don't need it.
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
