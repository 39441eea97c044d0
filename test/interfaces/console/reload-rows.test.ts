import { describe, expect, it } from "vitest";
import { reloadRows } from "../../../src/interfaces/console/client/feedback/reload-rows.ts";

const COUNT = 1000;

const row = (index: number, text = "old", id = index) => ({
  workflow_id: `workflow-${id}`,
  timestamp: new Date(Date.UTC(2026, 0, 1) - index * 60_000).toISOString(),
  text,
});

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

/** A list of the first rows, newest first, and a service whose rows are now as `now` says. */
function list(now: readonly ReturnType<typeof row>[], shown = COUNT) {
  let rows = range(0, shown).map((index) => row(index));
  const answers: number[] = [];
  return {
    rows: () => rows,
    /** How many rows each answer had. */
    answers,
    reload: (times: readonly string[]) =>
      reloadRows(times, {
        current: () => rows,
        keep: (changed) => (rows = [...changed]),
        read: async ({ since, before, limit }) => {
          const found = now.filter(({ timestamp }) => timestamp >= since && timestamp < before);
          const feedback = found.slice(0, limit);
          answers.push(feedback.length);
          return { feedback, ...(found.length > limit && { next: feedback.at(-1)!.workflow_id }) };
        },
      }),
  };
}

const NEW = range(0, COUNT).map((index) => row(index, "new"));

describe("rows of a long list whose runs have changed", () => {
  it("are loaded again alone, and leave the list if they no longer match", async () => {
    const { rows, answers, reload } = list(NEW.filter((_, index) => index !== 901));
    await reload([900, 901].map((index) => row(index).timestamp));
    expect(answers).toEqual([1]);
    expect(rows().filter(({ text }) => text === "new")).toEqual([NEW[900]]);
    expect(rows()).toHaveLength(COUNT - 1);
  });

  it("share a request only if they are near each other", async () => {
    const { rows, answers, reload } = list(NEW);
    await reload([60, 70, 900].map((index) => row(index).timestamp));
    expect(answers).toEqual([11, 1]);
    expect(rows()).toHaveLength(COUNT);
  });

  it("are all loaded again if any run may have changed, 200 at a time", async () => {
    const { rows, answers, reload } = list(NEW);
    await reload(rows().map(({ timestamp }) => timestamp));
    expect(answers).toEqual([200, 200, 200, 200, 200]);
    expect(rows()).toEqual(NEW);
  });

  it("take their place if they match now, but not below the last row that was loaded", async () => {
    // More than one answer holds, all from the same time.
    const more = range(0, 250).map((index) => row(10.5, "new", COUNT + index));
    const now = [...NEW.slice(0, 11), ...more, ...NEW.slice(11)];
    const { rows, answers, reload } = list(now, 100);
    await reload([0, 10.5, 99, 100].map((index) => row(index).timestamp));
    expect(answers.length).toBeLessThan(4);
    expect(rows().slice(0, 12)).toEqual(now.slice(0, 12));
    expect(rows().at(-1)).toEqual(NEW[99]);
  });
});
