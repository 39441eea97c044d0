import { expect, it } from "vitest";
import { ConnectionLimit, ConnectionRefused } from "../../../src/integrations/email/connection-limit.ts";

const REASON = new Error("given up");
const attempted: () => Promise<never> = () => expect.unreachable("an aborted mail was attempted");

it("a mail whose signal has aborted already does not wait for its turn, and takes nobody's", async () => {
  const limit = new ConnectionLimit(1, () => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = limit.send(
    () => promise,
    () => false,
  );
  let failure: unknown;
  const aborted = limit
    .send(attempted, () => false, AbortSignal.abort(REASON))
    .catch((error: unknown) => (failure = error));
  // A timer comes after all promises.
  await new Promise(setImmediate);
  expect(failure).toBe(REASON);
  resolve();
  await Promise.all([first, aborted]);
  await limit.send(
    async () => {},
    () => false,
  );
});

it("nor does one that aborted while the server refused it", async () => {
  const limit = new ConnectionLimit(2, () => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = limit.send(
    () => promise,
    () => false,
  );
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
  resolve();
  await Promise.all([first, aborted]);
  await limit.send(
    async () => {},
    () => false,
  );
});
