import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { KeyedQueue } from "../../src/concurrency/keyed-queue.ts";

test("work whose signal aborts leaves the queue, and later work still waits for earlier work", async () => {
  const queue = new KeyedQueue();
  const stays = new AbortController().signal;
  const gone = new AbortController();
  const release = Promise.withResolvers<void>();
  const done: string[] = [];
  const first = queue.run("anna", () => release.promise.then(() => done.push("first")), stays);
  const second = queue.run("anna", async () => done.push("second"), gone.signal);
  const third = queue.run("anna", async () => done.push("third"), stays);
  gone.abort(new Error("gone"));
  await expect(second).rejects.toThrow("gone");
  await setImmediate();
  release.resolve();
  await Promise.all([first, third]);
  expect(done).toEqual(["first", "third"]);
});

test("work with one key runs in turn, even after a failure, and work with another key does not wait", async () => {
  const queue = new KeyedQueue();
  const release = Promise.withResolvers<void>();
  const done: string[] = [];
  const first = queue.run("anna", async () => {
    await release.promise;
    done.push("first");
    throw new Error("failed");
  });
  const second = queue.run("anna", async () => done.push("second"));
  await queue.run("ben", async () => done.push("other"));
  release.resolve();
  await expect(first).rejects.toThrow("failed");
  await second;
  expect(done).toEqual(["other", "first", "second"]);
});
