import { expect, it } from "vitest";
import { ConnectionLimit, ConnectionRefused } from "../../../../src/integrations/email/smtp/connection-limit.ts";

const REASON = new Error("given up");
const attempted: () => Promise<never> = () => expect.unreachable("an aborted mail was attempted");

/** A limit with one email in progress until `end`, and a check that a later one gets its turn. */
function occupied(places: number) {
  const limit = new ConnectionLimit(places, () => {});
  const { promise, resolve: end } = Promise.withResolvers<void>();
  const send = (work: () => Promise<void>) => limit.send(work, () => false);
  const first = send(() => promise);
  return { limit, end, first, takesAnother: () => send(async () => {}) };
}

it("an email whose signal has already aborted does not wait for its turn or take another email's", async () => {
  const { limit, end, first, takesAnother } = occupied(1);
  let failure: unknown;
  const aborted = limit
    .send(attempted, () => false, AbortSignal.abort(REASON))
    .catch((error: unknown) => (failure = error));
  // A timer fires after all promises have settled.
  await new Promise(setImmediate);
  expect(failure).toBe(REASON);
  end();
  await Promise.all([first, aborted]);
  await takesAnother();
});

it("an email that aborts while the server refuses it does not wait or take another email's turn", async () => {
  const { limit, end, first, takesAnother } = occupied(2);
  const controller = new AbortController();
  let failure: unknown;
  const aborted = limit
    .send(
      () => {
        controller.abort(REASON);
        return Promise.reject(new ConnectionRefused());
      },
      () => false,
      controller.signal,
    )
    .catch((error: unknown) => (failure = error));
  await new Promise(setImmediate);
  expect(failure).toBe(REASON);
  end();
  await Promise.all([first, aborted]);
  await takesAnother();
});
