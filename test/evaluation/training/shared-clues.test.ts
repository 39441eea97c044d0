import { expect, it } from "vitest";
import { sharedClues } from "../../../evaluation/training/shared-clues.ts";

it("finds categories without the clues that occur in only one set", () => {
  const set = (name: string, ...texts: string[]) => ({ name, rows: texts.map((text) => ({ text })) });
  const { withoutThem, withoutWhatTheyCover } = sharedClues([
    set("one", "I want my refund.", "It crashes.", "A data breach."),
    set("other", "Give me a refund, I get a refund.", "It crashes."),
  ]);
  expect(withoutThem("It crashes.")).toContain("bug");
  expect(withoutWhatTheyCover("It crashes.")).toContain("bug");
  expect(withoutThem("A data breach.")).toEqual([]);
  // "get a refund" is a clue of one set, the "refund" inside it is one of both.
  expect(withoutThem("I get a refund.")).toEqual(["billing"]);
  expect(withoutWhatTheyCover("I get a refund.")).toEqual([]);
});
