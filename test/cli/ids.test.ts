import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { call, FEEDBACK, parseLines, workplace } from "./command-process.ts";

const NAMES = ["constructor", "toString", "hasOwnProperty", "__proto__"];

test("ids and columns named like properties of every object work in every command", async () => {
  const place = workplace();
  const customers = NAMES.map((id) => JSON.stringify({ id, name: "Ann", email: `${id}@example.com` }));
  writeFileSync(join(place.cwd, "customers.jsonl"), customers.join("\n"));
  const rows = NAMES.map((name) => `${name},${name},I love the new design!,Hello ${name}`);
  writeFileSync(
    join(place.cwd, "feedback.csv"),
    ["feedback_id,customer_id,toString,__proto__", ...rows, ""].join("\n"),
  );
  const approval = { ...place, env: { ...place.env, APPROVAL: "on", FORCE_COLOR: "1" } };
  const shown = async (...args: string[]) => {
    const { stdout, stderr, code } = await call(args, approval);
    return { code, stdout: stripVTControlCharacters(stdout), stderr: stripVTControlCharacters(stderr) };
  };

  expect(await shown("import-customers", "customers.jsonl")).toMatchObject({
    code: 0,
    stdout: "4 customers loaded, 0 invalid\n",
  });
  const mapped = ["--map", "feedback_text=toString", "--map", "subject=__proto__"];
  const batch = await call(["batch", "feedback.csv", ...mapped, "--json"], approval);
  expect(parseLines(batch.stdout)).toEqual(
    NAMES.map((id) => expect.objectContaining({ feedback_id: id, customer_id: id, status: "waiting_for_approval" })),
  );
  const latest = await shown("status");
  const waiting = await shown("approvals");
  const asked = await shown("query", "SELECT ?id ?constructor { ?f a abi:Feedback ; abi:id ?id } ORDER BY ?id");
  for (const name of NAMES) {
    const line = new RegExp(`^${name}(?: |$)`, "m");
    expect([latest.stdout, waiting.stdout, asked.stdout]).toEqual(
      [latest, waiting, asked].map(() => expect.stringMatching(line)),
    );
  }
  expect(await shown("status", "constructor", "--history")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/feedback +constructor\n[^]*waiting_for_approval/),
  });
  expect(await shown("approvals", "show", "__proto__")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/customer +__proto__\n[^]*subject +RE: Hello __proto__\n/),
  });
  expect(await shown("cancel", "toString", "hasOwnProperty")).toMatchObject({ code: 0 });
  expect(await shown("retry", "toString")).toMatchObject({ code: 0, stdout: "toString continues.\n" });
  expect(await shown("status", "valueOf")).toMatchObject({ code: 1, stdout: expect.stringContaining("no run") });
});

test("an id with spaces around it is the same id, whether in an option, in a file or in a search", async () => {
  const place = workplace();
  writeFileSync(
    join(place.cwd, "customers.csv"),
    "id,name,email\nC-1\u00A0,Ann Ford,ann@example.com\nC-\u202E2,Bo,bo@example.com\n",
  );
  const processed = await call(["process", ...FEEDBACK.with(1, "F-1 ").with(3, "\u200BC-1"), "--json"], place);
  expect(JSON.parse(processed.stdout)).toMatchObject({ success: true, feedback_id: "F-1", customer_id: "C-1" });
  writeFileSync(
    join(place.cwd, "feedback.jsonl"),
    [
      { feedback_id: "F-1\u00A0", customer_id: "C-1 ", subject: "Hello", feedback_text: "I love the new design!" },
      { feedback_id: "\u200B", customer_id: "C-1\uFEFF", subject: "Hello", feedback_text: "It is slow." },
      { customer_id: "C-1", subject: "Hello", feedback_text: "It is slow." },
      { feedback_id: "F\u202E-2", customer_id: "C-1", subject: "Hello", feedback_text: "It is slow." },
    ]
      .map((row) => JSON.stringify(row))
      .join("\n"),
  );
  const { stdout } = await call(["batch", "feedback.jsonl", "--json"], place);
  const [first, second, third, fourth] = parseLines(stdout);
  expect(first).toMatchObject({ success: true, feedback_id: "F-1", duplicate: true });
  expect(second).toMatchObject({ success: true, customer_id: "C-1" });
  expect(third).toMatchObject({ duplicate: true, feedback_id: second!["feedback_id"] });
  expect(fourth).toMatchObject({
    success: false,
    error: expect.stringContaining("feedback_id: has U+202E at position 2"),
  });
  expect(stdout).not.toMatch(/[\p{Cf}\u0080-\u009F]/u);

  expect(JSON.parse((await call(["status", " F-1\u00A0", "--json"], place)).stdout)).toMatchObject({
    feedback_id: "F-1",
  });
  expect((await call(["retry", "F-1\u200B"], place)).stdout).toBe("F-1 has not failed: it is completed.\n");
  expect((await call(["cancel", "F-1 "], place)).stdout).toContain("F-1 has already ended");
  const unknown = await call(["status", "F-\u202E9\u001b[2J"], place);
  expect(unknown).toMatchObject({ code: 1, stdout: expect.stringContaining(String.raw`F-\u202e9\u001b[2J here`) });
  const imported = await call(["import-customers", "customers.csv"], place);
  expect(imported.stdout).toMatch(/^1 customer loaded, 1 invalid\n.*\(C-\\u202e2\): id has U\+202E at position 3/);
});
