/**
 * The side of a crash test that runs in the process to kill. Its script wraps the parts that have effects; every call of
 * theirs passes two named points, `before:<part>.<method>` and `after:<part>.<method>`, at one of which the process may be
 * told to end itself with `kill -9`. Nothing of this is known to the code under test.
 */
import type { MailTransport } from "../../src/integrations/email/mail-transport.ts";
import type { TicketSystem } from "../../src/integrations/tickets/ticket-system.ts";
import type { EngineDatabase, RunQueries } from "../../src/engine/open-workflow/engine-database.ts";
import { connectPostgres } from "../../src/engine/open-workflow/postgres-database.ts";
import { openSqliteDatabase } from "../../src/engine/open-workflow/sqlite-database.ts";
import type { OntologyStore } from "../../src/ontology/ontology-store.ts";
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
 * const engine = new OpenWorkflowEngine({ database: points.engineDatabase("runs.sqlite") });
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
    const watched = new Set<string | symbol>(methods);
    const get = (target: Part, property: string | symbol): unknown => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      // Bound to the part itself, whose private fields a proxy has not.
      const method = value.bind(target) as (...args: unknown[]) => unknown;
      if (!watched.has(property)) return method;
      return async (...args: unknown[]): Promise<unknown> => {
        this.reach(`before:${name}.${String(property)}`);
        const result = await method(...args);
        this.reach(`after:${name}.${String(property)}`);
        return result;
      };
    };
    return new Proxy(part, { get });
  }

  /** Points `graph.insert` and `graph.update`. */
  ontologyStore(store: OntologyStore): OntologyStore {
    return this.around("graph", store, ["insert", "update"]);
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
   * The database of an `OpenWorkflowEngine` in a SQLite file, opened to execute runs: points `runs.<method>` before and
   * after everything that is written of a run (submission, step and its result or failure, retry, wait for a decision, decision,
   * end), and `after:runs.claim` and `after:runs.resubmit`. Only leases that are renewed have none.
   * @throws IoError as the engine's constructor
   */
  engineDatabase(path: string): EngineDatabase {
    return this.#watched(openSqliteDatabase(path, true));
  }

  /**
   * The same in a PostgreSQL database, which several workers may share.
   * @param url `postgres://user:password@host:5432/database`
   * @throws ValidationError, IoError as `OpenWorkflowEngine.connect`
   */
  async postgresEngineDatabase(url: string): Promise<EngineDatabase> {
    return this.#watched(await connectPostgres(url));
  }

  #watched(database: EngineDatabase): EngineDatabase {
    const backend = this.around("runs", database.backend, [
      "createWorkflowRun",
      "createStepAttempt",
      "completeStepAttempt",
      "failStepAttempt",
      "completeWorkflowRun",
      "failWorkflowRun",
      "rescheduleWorkflowRunAfterFailedStepAttempt",
      "sleepWorkflowRun",
      "cancelWorkflowRun",
    ]);
    const queries = this.around("runs", database.queries, ["cancel", "park", "decide"]);
    // No points before these: mostly they find nothing to do. A claim even does so every second, for ever, and a process that
    // does nothing else must be found to hang.
    const resubmit: RunQueries["resubmit"] = async (runId, availableAt) => {
      const isResumed = await database.queries.resubmit(runId, availableAt);
      if (isResumed) this.reach("after:runs.resubmit");
      return isResumed;
    };
    const claim: EngineDatabase["claim"] = async (...args) => {
      const run = await database.claim(...args);
      if (run) this.reach("after:runs.claim");
      return run;
    };
    return { ...database, backend, queries: Object.assign(Object.create(queries) as RunQueries, { resubmit }), claim };
  }
}

/** To the runner, where there is one. */
function tell(message: CrashMessage): void {
  process.send?.(message);
}
