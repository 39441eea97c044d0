import { describe, expect, it, vi } from "vitest";
import { FailureLog } from "../../src/engine/failure-log.ts";
import { silentLogger, type Logger } from "../../src/log.ts";

const HOUR = 3_600_000;

function startLog() {
  const lines: [level: string, message: string, runsFailing?: number][] = [];
  const write =
    (level: string) =>
    (facts: { runs_failing?: number }, message: string): void =>
      void lines.push([level, message, ...(facts.runs_failing === undefined ? [] : [facts.runs_failing])] as never);
  const logger = {
    ...silentLogger,
    warn: write("warn"),
    info: write("info"),
    debug: write("debug"),
  } as never as Logger;
  const log = new FailureLog(logger);
  const fail = (runId: string, error: string, retryInMs = 1) =>
    log.failed({ runId, step: "response_sent", attempt: 1, retryInMs, since: new Date(0), error, error_code: "x" });
  return { log, fail, lines };
}

describe("the log of steps that keep failing", () => {
  it("reports a reason once, and once when it has passed", () => {
    const { log, fail, lines } = startLog();
    fail("r1", "busy");
    fail("r2", "busy");
    log.ended("r1", "response_sent");
    log.ended("r2");
    expect(lines).toEqual([
      ["warn", "busy", 1],
      ["debug", "busy", 2],
      ["info", "no run fails for this reason any more"],
    ]);
  });

  it("also reports the end if the runs continued in another process", () => {
    const now = vi.spyOn(performance, "now").mockReturnValue(0);
    const { fail, lines } = startLog();
    fail("r1", "busy");
    now.mockReturnValue(4 * HOUR);
    fail("r2", "quota");
    expect(lines).toEqual([
      ["warn", "busy", 1],
      ["info", "no run fails for this reason any more"],
      ["warn", "quota", 1],
    ]);
  });

  it("waits for a retry that is due only after hours", () => {
    const now = vi.spyOn(performance, "now").mockReturnValue(0);
    const { fail, lines } = startLog();
    fail("r1", "busy", 6 * HOUR);
    now.mockReturnValue(5 * HOUR);
    fail("r2", "quota");
    now.mockReturnValue(6 * HOUR);
    fail("r1", "busy", 6 * HOUR);
    expect(lines).toEqual([
      ["warn", "busy", 1],
      ["warn", "quota", 1],
      ["warn", "busy", 1],
    ]);
  });
});
