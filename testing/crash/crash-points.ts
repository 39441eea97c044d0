/**
 * The side of a crash test that runs in the process to kill. Its script wraps the parts that have effects; every call of
 * theirs passes two named points, `before:<part>.<method>` and `after:<part>.<method>`, at one of which the process may be
 * told to end itself with `kill -9`. Nothing of this is known to the code under test.
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
 * Named places at which a process may be killed, as the arguments of the process say. Without such arguments nothing happens.
 *
 * @example
 * const points = new CrashPoints(process.argv);
 * const gateway = points.around("payments", new PaymentGateway(url), ["charge"]);
 * const engine = new DurableEngine({ store: points.runStore("runs.sqlite") });
 * …
 * for (const order of orders.slice(points.acknowledged)) {
 *   await workflow.startWorkflow(order);
 *   points.acknowledge();
 * }
 */
export class CrashPoints {
  readonly #orders: CrashOrders;
  readonly #reached = new Map<string, number>();
  #acknowledged: number;

  /** @param args those of the process; the runner puts its own behind the script's */
  constructor(args: readonly string[]) {
    this.#orders = readOrders(args);
    this.#acknowledged = this.#orders.acknowledged;
  }

  /** Which of the processes that share the work this one is, from 0; the items of each are its own to submit. */
  get worker(): number {
    return this.#orders.worker;
  }

  /** How many processes share the work. */
  get workers(): number {
    return this.#orders.workers;
  }

  /** How many items earlier processes in this one's place have been promised: not to be submitted again, and not to be lost. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Tells the runner that one more item, in their order, has been promised. */
  acknowledge(): void {
    this.#acknowledged += 1;
    tell({ acknowledged: this.#acknowledged });
  }

  /** A place of one's own. Does not return where the process is to die here. */
  reach(point: string): void {
    const nth = (this.#reached.get(point) ?? 0) + 1;
    this.#reached.set(point, nth);
    tell({ reached: point });
    if (point === this.#orders.point && nth === this.#orders.nth) process.kill(process.pid, "SIGKILL");
  }

  /** The part, with points before these methods and after their success. */
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

  /** Points `graph.insert`, `graph.change` and `graph.update`. */
  ontologyStore(store: OntologyStore): OntologyStore {
    return this.around("graph", store, ["insert", "change", "update"]);
  }

  /** Points `mail.send`. */
  mailTransport(transport: MailTransport): MailTransport {
    return this.around("mail", transport, ["send"]);
  }

  /** Points `tickets.createTicket`. */
  ticketSystem(system: TicketSystem): TicketSystem {
    return this.around("tickets", system, ["createTicket"]);
  }

  /**
   * The runs of a `DurableEngine` in a SQLite file, opened to execute them. Points `runs.<what>` before and after everything that is
   * written of a run: `accept`, `begin`, `complete` and `fail` of a step, `reschedule`, `park`, `end`, `decide`, `cancel`; and
   * `after:runs.take_up` and `after:runs.retry`. What is written together passes its points together.
   * @throws ValidationError, IoError as the engine's constructor
   */
  runStore(path: string): RunStore {
    return this.#watched(new SqliteRunStore(path));
  }

  /**
   * The same in a PostgreSQL database, which several workers may share.
   * @param url `postgres://user:password@host:5432/database`
   * @throws ValidationError, IoError as `DurableEngine.connect`
   */
  async postgresRunStore(url: string): Promise<RunStore> {
    const { PostgresRunStore } = await import("../../src/engine/postgres/postgres-run-store.ts");
    return this.#watched(await PostgresRunStore.open(url));
  }

  /**
   * The same on a Restate server.
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
    // No points before these: mostly they find nothing to do. A worker even looks every second, for ever, and a process that
    // does nothing else must be found to hang.
    const retry: RunStore["retry"] = async (id) => {
      const isRetried = await store.retry(id);
      if (isRetried) this.reach("after:runs.retry");
      return isRetried;
    };
    const takeUp: RunStore["takeUp"] = async (request) => {
      const taken = await store.takeUp(request);
      if (taken.runs.length > 0) this.reach("after:runs.take_up");
      return taken;
    };
    return withMethods(store, { write, decide, cancel, retry, takeUp });
  }
}

/** To the runner, where there is one. */
function tell(message: CrashMessage): void {
  process.send?.(message);
}
