import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { call, FEEDBACK, workplace } from "./command-process.ts";

test("on a terminal of 80 columns status keeps both ids whole and leaves out what is less needed", async () => {
  const place = workplace();
  const { stdout } = await call(["process", ...FEEDBACK.with(1, "feedback-of-monday"), "--json"], place);
  const { workflow_id: id } = JSON.parse(
    (await call(["status", JSON.parse(stdout).feedback_id, "--json"], place)).stdout,
  );
  const terminal = (columns: number): { nodeOptions: string[] } => ({
    nodeOptions: [
      "--import",
      `data:text/javascript,${encodeURIComponent(`Object.assign(process.stdout,{isTTY:true,columns:${columns}})`)}`,
    ],
  });
  const narrow = stripVTControlCharacters((await call(["status"], { ...place, ...terminal(80) })).stdout);
  expect(narrow.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
    ["feedback", "status", "workflow id"],
    ["feedback-of-monday", "completed", id],
    [""],
  ]);
  const wide = stripVTControlCharacters((await call(["status"], { ...place, ...terminal(200) })).stdout);
  expect(wide).toMatch(/^feedback +status +started \(UTC\) +last step +workflow id\n/);
});
