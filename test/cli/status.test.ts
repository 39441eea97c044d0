import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { call, FEEDBACK, RunningCommand, workplace } from "./command-process.ts";

test("on a terminal of 80 columns, status keeps both ids complete and leaves out less important columns", async () => {
  const place = workplace();
  const { stdout } = await call(["process", ...FEEDBACK.with(1, "feedback-of-monday"), "--json"], place);
  const { workflow_id: id } = JSON.parse(
    (await call(["status", JSON.parse(stdout).feedback_id, "--json"], place)).stdout,
  );
  const narrow = stripVTControlCharacters((await call(["status"], { ...place, columns: 80 })).stdout);
  expect(narrow.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
    ["feedback", "status", "workflow id"],
    ["feedback-of-monday", "completed", id],
    [""],
  ]);
  const wide = stripVTControlCharacters((await call(["status"], { ...place, columns: 200 })).stdout);
  expect(wide).toMatch(/^feedback +status +started \(UTC\) +last step +workflow id\n/);
});

test("status says what happened to the email, or why there was none", async () => {
  const place = workplace();
  writeFileSync(
    join(place.cwd, "customers.csv"),
    "id,name,email,do_not_contact\nC-1,Ann Ford,ann@example.com,yes\nC-2,Bo Lund,bo@example.com,no\n",
  );
  await call(["process", ...FEEDBACK], place);
  await call(["process", ...FEEDBACK.with(1, "F-2").with(3, "C-2")], place);
  const outcome = async (id: string) =>
    /^ *outcome +(.*)$/m.exec(stripVTControlCharacters((await call(["status", id], place)).stdout))?.[1];
  expect(await outcome("F-1")).toBe("not answered · no email: the customer does not want to be contacted");
  expect(await outcome("F-2")).toBe("answered by email");
  const list = stripVTControlCharacters((await call(["status"], { ...place, columns: 200 })).stdout);
  expect(list).toMatch(/^F-2 .* response_sent /m);
  expect(list).toMatch(/^F-1 .* feedback_stored /m);
});

test("status --history shows every attempt; retry continues a failed run once the cause is fixed", async () => {
  const place = workplace();
  writeFileSync(join(place.cwd, "customers.csv"), "id,name,email\nC-1,Ann Ford,\n");
  for (const id of ["F-1", "F-2"]) await call(["process", ...FEEDBACK.with(1, id), "--json"], place);
  const history = JSON.parse((await call(["status", "F-1", "--history", "--json"], place)).stdout).history;
  expect(history.at(-1)).toMatchObject({ step: "feedback_stored", status: "completed" });
  const shown = stripVTControlCharacters((await call(["status", "F-1", "--history"], place)).stdout);
  expect(shown).toMatch(/^step +attempt +started \(UTC\) +took +problem\ncustomer_data_retrieved +completed .* ms$/m);

  writeFileSync(join(place.cwd, "customers.csv"), "id,name,email\nC-1,Ann Ford,ann@example.com\n");
  await call(["import-customers", "customers.csv"], place);
  const retried = await call(["retry", "--failed"], place);
  expect(retried.stdout.split("\n").sort()).toEqual(["", "F-1 continues.", "F-2 continues."]);
  expect((await call(["status", "--status", "failed"], place)).stderr).toBe("No runs here are failed.\n");
  expect((await call(["status", "--workflow", "refund"], place)).stderr).toBe("No runs of refund here yet.\n");
  // Any process that executes runs claims it.
  await call(["process", ...FEEDBACK.with(1, "F-3")], place);
  await call(["process", ...FEEDBACK.with(1, "F-1")], place);
  await call(["process", ...FEEDBACK.with(1, "F-2")], place);
  const { stdout } = await call(["status", "--json"], place);
  expect(JSON.parse(stdout)).toMatchObject([{ status: "completed" }, { status: "completed" }, { status: "completed" }]);
  expect((await call(["retry", "F-1"], place)).stdout).toBe("F-1 has not failed: it is completed.\n");
  expect(await call(["retry", "F-9", "--json"], place)).toMatchObject({ code: 1 });
  expect(await call(["retry"], place)).toMatchObject({ code: 2 });
});

test("cancel stops a run that waits for its mail server, and retry lets it continue", async () => {
  const place = workplace();
  const away = { MAIL_URL: "smtp://127.0.0.1:1", RETRY_DELAY_MS: "60000" };
  const waiting = new RunningCommand(["process", ...FEEDBACK], { ...place, env: { ...place.env, ...away } });
  await until(async () => (await historyOf(place, "F-1")).some(({ status }) => status === "failed"));
  expect((await call(["cancel", "F-1"], place)).stdout).toBe("F-1 is cancelled.\n");
  expect(await waiting.ended).toMatchObject({ code: 1, stdout: expect.stringContaining("cancelled") });
  expect(await call(["cancel", "F-1"], place)).toMatchObject({
    code: 1,
    stdout: "F-1 has already ended: it is cancelled.\n",
  });
  expect((await call(["retry", "F-1"], place)).stdout).toBe("F-1 continues.\n");
  expect(await call(["process", ...FEEDBACK, "--json"], place)).toMatchObject({ code: 0 });
});

const historyOf = async (place: { cwd: string }, id: string): Promise<{ status: string }[]> =>
  (JSON.parse((await call(["status", id, "--history", "--json"], place)).stdout) as { history?: [] }).history ?? [];

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await setImmediate();
}
