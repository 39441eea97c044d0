import { expect, it } from "vitest";
import { isTransient, retryAfterMs, toModelError } from "../../agents/model-errors.ts";
import { IoError } from "../../src/errors.ts";

it("an error that is its own cause can be read", () => {
  const error = new Error("outer", { cause: new Error("inner") });
  (error.cause as Error).cause = error;
  expect([isTransient(error), retryAfterMs(error)]).toEqual([false, undefined]);
  expect(toModelError(error)).toMatchObject({ code: "internal", cause: error });
});

it("one of our own errors is found among the causes", () => {
  const own = new IoError("busy", { retryAfterMs: 5 });
  const error = new Error("outer", { cause: new Error("inner", { cause: own }) });
  expect([isTransient(error), retryAfterMs(error), toModelError(error)]).toEqual([true, 5, own]);
});
