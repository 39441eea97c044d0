/**
 * The half of a crash test that runs in the process to kill. The script wraps the parts that have
 * effects. A call of a wrapped method then passes two named points, `before:<part>.<method>` and,
 * if it succeeds, `after:<part>.<method>`. At one of them, the process may have to kill itself with
 * `kill -9`. The code under test doesn't notice any of this.
 */
import type { MailTransport } from "../../src/integrations/email/mail-transport.ts";
import type { TicketSystem } from "../../src/integrations/tickets/ticket-system.ts";
import type { RestateOptions } from "../../src/engine/restate/options.ts";
import type { RunStore } from "../../src/engine/run-store.ts";
import { SqliteRunStore } from "../../src/engine/sqlite/sqlite-run-store.ts";
import type { OntologyStore } from "../../src/ontology/ontology-store.ts";
import { withMethods } from "./with-methods.ts";
import { readOrders, type CrashMessage, type CrashOrders } from "./protocol.ts";

type MethodOf<Part> = {
  [Name in keyof Part]: Part[Name] extends (...args: never[]) => Promise<unknown> ? Name : never;
}[keyof Part] &
  string;

/**
 * Named points at which a process may be killed. The runner's arguments choose the point; without
 * them, nothing happens.
 *
 * @example const points = new CrashPoints(process.argv); const gateway = points.around("payments",
 *   new PaymentGateway(url), ["charge"]); const engine = new DurableEngine({ store:
 *   points.runStore("runs.sqlite") }); … for (const order of orders.slice(points.acknowledged)) {
 *   await workflow.startWorkflow(order); points.acknowledge(); }
 */
export class CrashPoints {
  readonly #orders: CrashOrders;
  readonly #reached = new Map<string, number>();
  #acknowledged: number;

  /** @param args `process.argv`: the runner appends its arguments to those of the script */
  constructor(args: readonly string[]) {
    this.#orders = readOrders(args);
    this.#acknowledged = this.#orders.acknowledged;
  }

  /**
   * The number of this process among those that share the work, from 0. Each process submits its
   * own items.
   */
  get worker(): number {
    return this.#orders.worker;
  }

  /** How many processes share the work. */
  get workers(): number {
    return this.#orders.workers;
  }

  /**
   * How many items have been acknowledged so far, by this process and earlier ones with its number.
   * They must not be submitted again, or lost.
   */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Tells the runner that the next item has been acknowledged. */
  acknowledge(): void {
    this.#acknowledged += 1;
    tell({ acknowledged: this.#acknowledged });
  }

  /** Passes a point of your own. Doesn't return if the process has to die here. */
  reach(point: string): void {
    const nth = (this.#reached.get(point) ?? 0) + 1;
    this.#reached.set(point, nth);
    tell({ reached: point });
    if (point === this.#orders.point && nth === this.#orders.nth) process.kill(process.pid, "SIGKILL");
  }

  /** Wraps a part, with points before each of these methods and after it succeeds. */
  around<Part extends object>(name: string, part: Part, methods: readonly MethodOf<Part>[]): Part {
    const watch =
      (method: MethodOf<Part>) =>
      async (...args: unknown[]): Promise<unknown> => {
        this.reach(`before:${name}.${method}`);
        const result = await Reflect.apply(part[method] as (...args: unknown[]) => Promise<unknown>, part, args);
        this.reach(`after:${name}.${method}`);
        return result;
      };
    return withMethods(part, Object.fromEntries(methods.map((method) => [method, watch(method)])) as Partial<Part>);
  }

  /**
   * Wraps a store, with points before and after `graph.insert`, `graph.change` and `graph.update`.
   */
  ontologyStore(store: OntologyStore): OntologyStore {
    return this.around("graph", store, ["insert", "change", "update"]);
  }

  /** Wraps a mail transport, with points before and after `mail.send`. */
  mailTransport(transport: MailTransport): MailTransport {
    return this.around("mail", transport, ["send"]);
  }

  /** Wraps a ticket system, with points before and after `tickets.createTicket`. */
  ticketSystem(system: TicketSystem): TicketSystem {
    return this.around("tickets", system, ["createTicket"]);
  }

  /**
   * Opens a SQLite file as the `store` of a `DurableEngine`. There are points before and after
   * everything that is written about a run: `runs.accept`, `runs.begin`, `runs.complete` and
   * `runs.fail` (of a step), `runs.reschedule`, `runs.park`, `runs.end`, `runs.decide` and
   * `runs.cancel`. There are also `after:runs.claim` and `after:runs.retry`. If several things are
   * written at once, all their points before come first, then the write, then all points after.
   * @throws ValidationError, IoError as the engine's constructor
   */
  runStore(path: string): RunStore {
    return this.#watched(new SqliteRunStore(path));
  }

  /**
   * Does the same in a PostgreSQL database, which several workers may share.
   * @param url `postgres://user:password@host:5432/database`
   * @throws ValidationError, IoError as `DurableEngine.connect`
   */
  async postgresRunStore(url: string): Promise<RunStore> {
    const { PostgresRunStore } = await import("../../src/engine/postgres/postgres-run-store.ts");
    return this.#watched(await PostgresRunStore.open(url));
  }

  /**
   * Does the same on a Restate server.
   * @param url `restate+http://host:8080/name`
   * @throws ValidationError, IoError as `DurableEngine.connect`
   */
  async restateRunStore(url: string, options: RestateOptions = {}): Promise<RunStore> {
    const { RestateRunStore } = await import("../../src/engine/restate/restate-run-store.ts");
    return this.#watched(await RestateRunStore.open(url, options));
  }

  #watched(store: RunStore): RunStore {
    const passing = async <Result>(points: Iterable<string>, work: () => Promise<Result>): Promise<Result> => {
      for (const point of points) this.reach(`before:runs.${point}`);
      const result = await work();
      for (const point of points) this.reach(`after:runs.${point}`);
      return result;
    };
    const write: RunStore["write"] = (batch) => {
      const kinds = batch.runs.flatMap(({ writes }) => writes.map(({ kind }) => kind));
      return passing(new Set([...(batch.accepts.length > 0 ? ["accept"] : []), ...kinds]), () => store.write(batch));
    };
    const decide: RunStore["decide"] = (...args) =>
      args[3].take ? passing(["decide"], () => store.decide(...args)) : store.decide(...args);
    const cancel: RunStore["cancel"] = (id) => passing(["cancel"], () => store.cancel(id));
    // There are no points before these calls, because they mostly find nothing to do. An idle
    // worker polls every second forever. If each poll passed a point, a process that hangs would
    // seem busy.
    const retry: RunStore["retry"] = async (id) => {
      const isRetried = await store.retry(id);
      if (isRetried) this.reach("after:runs.retry");
      return isRetried;
    };
    const claim: RunStore["claim"] = async (request) => {
      const claimed = await store.claim(request);
      if (claimed.runs.length > 0) this.reach("after:runs.claim");
      return claimed;
    };
    return withMethods(store, { write, decide, cancel, retry, claim });
  }
}

/** Sends a message to the runner, if there is one. */
function tell(message: CrashMessage): void {
  process.send?.(message);
}
