import { describe, expect, it } from "vitest";
import { differences, graphLines, isClean, tally, tallyTable } from "../../testing/index.ts";
import { literal, namedNode, quad } from "../support/terms.ts";

const came = (...receipts: string[]) => receipts.map((receipt) => ({ key: receipt[0]!, identity: receipt }));

describe("a tally", () => {
  it("is clean if everything was received once, in any order", () => {
    const one = tally({ name: "emails", expected: ["a", "b"], received: came("b", "a") });
    expect(one).toMatchObject({ expected: 2, received: 2 });
    expect(isClean(one)).toBe(true);
  });

  it.each([
    ["what did not come", ["a"], "lost", ["b"]],
    ["what nobody asked for", ["a", "b", "c"], "uncalledFor", ["c"]],
    ["what came under two identities", ["a1", "b", "a2"], "twice", ["a"]],
    ["what came again without a window", ["a", "b", "b"], "repeated", ["b"]],
  ])("names %s", (_, receipts, fault, keys) => {
    const one = tally({ name: "emails", expected: ["a", "b"], received: came(...receipts) });
    expect(one[fault as "lost"]).toEqual(keys);
    expect(isClean(one)).toBe(false);
  });

  it("allows one repetition for every process that died in the window", () => {
    const windows = new Map([["a", 1]]);
    const within = tally({ name: "emails", expected: ["a"], received: came("a", "a"), windows });
    expect(within.repeatedInWindow).toEqual(["a"]);
    expect(isClean(within)).toBe(true);
    const beyond = tally({ name: "emails", expected: ["a"], received: came("a", "a", "a"), windows });
    expect(beyond.repeated).toEqual(["a"]);
    expect(isClean(beyond)).toBe(false);
    // A window excuses a repetition of the same email, never a different one.
    expect(isClean(tally({ name: "emails", expected: ["a"], received: came("a1", "a2"), windows }))).toBe(false);
  });

  it("can be printed as a line of a table", () => {
    const lines = tallyTable([tally({ name: "emails", expected: ["a", "b"], received: came("a") })]).split("\n");
    expect(lines[0]).toMatch(/^ +expected +received +lost/);
    expect(lines[1]).toMatch(/^emails +2 +1 +1 +0/);
  });
});

describe("comparable graphs", () => {
  const at = (time: string) => literal(time, namedNode("http://www.w3.org/2001/XMLSchema#dateTime"));
  const graph = (run: string, time: string) => [
    quad(namedNode("urn:f"), namedNode("urn:by"), namedNode(`urn:run:${run}`)),
    quad(namedNode("urn:f"), namedNode("urn:at"), at(time)),
  ];
  const lines = (...quads: Parameters<typeof graphLines>[0]) =>
    graphLines(quads, (value) => value.startsWith("urn:run:"));

  it("are equal except for times and values specific to a run", () => {
    expect(
      differences(lines(...graph("1", "2026-01-01T00:00:00Z")), lines(...graph("2", "2027-02-02T00:00:00Z"))),
    ).toEqual([]);
  });

  it("differ if something is missing, has another value or type, or a time is stored twice", () => {
    const [by, when] = graph("1", "2026-01-01T00:00:00Z") as [ReturnType<typeof quad>, ReturnType<typeof quad>];
    expect(differences(lines(by, when), lines(by))).toHaveLength(1);
    expect(
      differences(lines(by), lines(quad(namedNode("urn:f"), namedNode("urn:by"), namedNode("urn:else")))),
    ).toHaveLength(2);
    expect(
      differences(
        lines(quad(namedNode("urn:f"), namedNode("urn:by"), literal("urn:x"))),
        lines(quad(namedNode("urn:f"), namedNode("urn:by"), namedNode("urn:x"))),
      ),
    ).toHaveLength(2);
    const later = quad(namedNode("urn:f"), namedNode("urn:at"), at("2026-01-01T00:00:01Z"));
    expect(differences(lines(by, when), lines(by, when, later))).toHaveLength(1);
  });
});
