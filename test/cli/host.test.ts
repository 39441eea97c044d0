// What the other tests of the command line rely on: commands in one process don't affect each other, and a real process gives
// them its own arguments, environment, folder, input and exit code.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { call, callProcess, FEEDBACK, parseLines, workplace } from "./command-process.ts";

test("commands that run at the same time in one process use their own folder, environment, input and streams", async () => {
  const numbers = Array.from({ length: 4 }, (_, n) => n);
  const outcomes = await Promise.all(
    numbers.map(async (n) => {
      const { cwd } = workplace();
      writeFileSync(join(cwd, "customers.csv"), `id,name,email\nC-1,Ann ${n},ann@example.com\n`);
      const env = {
        CUSTOMER_SOURCE: "customers.csv",
        MAIL_URL: `outbox:mails-${n}`,
        RESPONSE_CAP: n === 0 ? "many" : "1",
      };
      const args = ["process", ...FEEDBACK.with(1, `F-${n}`).with(7, "-"), "--json"];
      const { code, stdout, stderr } = await call(args, { cwd, env, input: `I love it, for the ${n}th time!` });
      return { code, stderr, results: parseLines(stdout), files: readdirSync(cwd) };
    }),
  );
  expect(outcomes[0]).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("RESPONSE_CAP"),
    files: ["customers.csv"],
  });
  for (const n of numbers.slice(1)) {
    expect(outcomes[n]).toMatchObject({ code: 0, stderr: "", results: [{ feedback_id: `F-${n}`, success: true }] });
    expect(outcomes[n]!.files.toSorted()).toEqual([".abi-workflows", "customers.csv", `mails-${n}`]);
  }
});

test("the log of a command goes to its own standard error", async () => {
  const place = workplace();
  const env = { ...place.env, LOG_LEVEL: "info" };
  const { stderr } = await call(["process", ...FEEDBACK], { ...place, env });
  expect(parseLines(stderr)).toContainEqual(expect.objectContaining({ msg: expect.any(String) as string }));
});

test("colours are used on terminals, and on request", async () => {
  const coloured = async (options: { env?: Record<string, string>; columns?: number }) =>
    (await call(["--help"], { cwd: temporaryFolder(), ...options })).stdout.includes("\u001b[");
  expect(await coloured({})).toBe(false);
  expect(await coloured({ columns: 80 })).toBe(true);
  expect(await coloured({ columns: 80, env: { NO_COLOR: "1" } })).toBe(false);
  expect(await coloured({ columns: 80, env: { TERM: "dumb" } })).toBe(false);
  expect(await coloured({ env: { FORCE_COLOR: "1" } })).toBe(true);
});

test("a process gives the command its arguments, environment, folder and input, and ends with its exit code", async () => {
  const { cwd } = workplace();
  const place = { cwd, env: { CUSTOMER_SOURCE: "customers.csv" } };
  const done = await callProcess(["process", ...FEEDBACK.with(7, "-"), "--json"], { ...place, input: "I love it!" });
  expect(done).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(done.stdout)).toMatchObject({ success: true, sentiment: "positive" });
  expect(readdirSync(join(cwd, ".abi-workflows"))).toContain("outbox");
  expect(await callProcess(["process", ...FEEDBACK.with(1, "F-2").with(3, "C-404")], place)).toMatchObject({ code: 1 });
  expect(await callProcess(["retry"], place)).toMatchObject({ code: 2, stdout: "" });
});
