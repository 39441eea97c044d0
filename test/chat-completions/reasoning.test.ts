import fc from "fast-check";
import { expect, it } from "vitest";
import { ReasoningFilter } from "../../src/chat-completions/reasoning.ts";
import { cpuSeconds } from "../support/cpu-seconds.ts";

const PIECES = 80_000;

const shown = (pieces: readonly string[]): string => {
  const filter = new ReasoningFilter();
  return pieces.map((piece) => filter.push(piece)).join("") + filter.end();
};

it.each([
  ["a block that ends", ["<think>", ...Array<string>(PIECES).fill("word "), "</think>", "Yes"], "Yes"],
  [
    "one that never ends",
    ["No <think>", ...Array<string>(PIECES).fill("word ")],
    `No <think>${"word ".repeat(PIECES)}`,
  ],
])("takes linear time for reasoning in many pieces: %s", (_, pieces, expected) => {
  let text = "";
  expect(cpuSeconds(() => (text = shown(pieces)))).toBeLessThan(1);
  expect(text).toBe(expected);
});

it("shows the same text, however the answer is cut into pieces", () => {
  const part = fc.constantFrom(
    "<think>",
    "</think>",
    "<THINKING>",
    "</Thinking>",
    "[think]",
    "[/think]",
    "<",
    "a",
    " ",
    "é",
  );
  fc.assert(
    fc.property(fc.array(part), fc.array(fc.nat(12)), (parts, lengths) => {
      const text = parts.join("");
      const pieces: string[] = [];
      let at = 0;
      for (const length of lengths) pieces.push(text.slice(at, (at += length)));
      expect(shown([...pieces, text.slice(at)])).toBe(shown([text]));
    }),
  );
});
