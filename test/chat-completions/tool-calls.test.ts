import { expect, it } from "vitest";
import { ToolCallCollector } from "../../src/chat-completions/tool-calls.ts";
import { cpuSeconds } from "../support/cpu-seconds.ts";

const PIECES = 50_000;

it.each([
  ["one id", () => "a"],
  ["an id for each piece", (nth: number) => `id${nth}`],
])("assembles a call from many pieces in linear time: %s", (_, idOf) => {
  const collector = new ToolCallCollector();
  const add = (id: string, name: string, text: string) =>
    collector.add([{ index: 0, id, function: { name, arguments: text } }]);
  const seconds = cpuSeconds(() => {
    add("a", "send", '{"text":"');
    for (let nth = 0; nth < PIECES; nth++) add(idOf(nth), "", "word ");
    add("a", "", '"}');
  });
  expect(collector.finish({ cutOff: false })).toMatchObject([
    { id: "a", name: "send", args: { text: "word ".repeat(PIECES) } },
  ]);
  expect(seconds).toBeLessThan(2);
});

it("accepts the whole call repeated at the end as the same call", () => {
  const collector = new ToolCallCollector();
  for (const text of ['{"a":', "1}", '{"a": 1}', '"{\\"a\\":1}"'])
    collector.add([{ index: 0, function: { arguments: text } }]);
  expect(collector.finish({ cutOff: false })).toMatchObject([{ text: '{"a":1}', args: { a: 1 } }]);
});

it("joins two names only if they begin the name of a tool and nothing is complete yet", () => {
  const named = (names: string[], text = ""): string[] => {
    const collector = new ToolCallCollector(["send", "send_mail", "mail"]);
    for (const name of names) collector.add([{ index: 0, function: { name, arguments: text } }]);
    return collector.finish({ cutOff: false }).map(({ name }) => name);
  };
  expect(named(["send", "_mail"])).toEqual(["send_mail"]);
  expect(named(["se", "nd", "_ma", "il"])).toEqual(["send_mail"]);
  expect(named(["send", "_mail"], "{}")).toEqual(["send", "_mail"]);
  expect(named(["send", "mail"])).toEqual(["send", "mail"]);
  expect(named(["se", "mail"])).toEqual(["se", "mail"]);
});
