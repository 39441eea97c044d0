import { expect, it } from "vitest";
import { isTransient, retryAfterMs, toModelError } from "../../agents/model-errors.ts";
import { IoError } from "../../src/errors.ts";

it("reads an error that is its own cause", () => {
  const error = new Error("outer", { cause: new Error("inner") });
  (error.cause as Error).cause = error;
  expect([isTransient(error), retryAfterMs(error)]).toEqual([false, undefined]);
  expect(toModelError(error)).toMatchObject({ code: "internal", cause: error });
});

it("finds our own error among the causes", () => {
  const own = new IoError("busy", { retryAfterMs: 5 });
  const error = new Error("outer", { cause: new Error("inner", { cause: own }) });
  expect([isTransient(error), retryAfterMs(error), toModelError(error)]).toEqual([true, 5, own]);
});
