import { abortable } from "./abortable.ts";

interface Flight<Result> {
  result: Promise<Result>;
  waiting: number;
  controller: AbortController;
  isDone: boolean;
}

/** Lets callers who ask for the same thing at the same time share one piece of work. */
export class SingleFlight<Result> {
  readonly #flights = new Map<string, Flight<Result>>();

  /**
   * Joins the work in progress for this key, or starts it. A caller's abort only ends that caller's
   * wait; the work itself is aborted when nobody waits for it any more.
   * @throws what the work throws, or the signal's reason
   */
  async run(key: string, work: (signal: AbortSignal) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    flight.waiting += 1;
    try {
      return await abortable(flight.result, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) this.#end(key, flight);
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<Result>): Flight<Result> {
    const controller = new AbortController();
    const flight: Flight<Result> = { result: work(controller.signal), waiting: 0, controller, isDone: false };
    // If all callers have gone, nobody handles a rejection.
    flight.result.catch(() => {}).finally(() => (flight.isDone = true));
    this.#flights.set(key, flight);
    return flight;
  }

  #end(key: string, flight: Flight<Result>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
    if (!flight.isDone) flight.controller.abort();
  }
}
