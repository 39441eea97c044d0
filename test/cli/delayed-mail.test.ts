import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { startSmtpServer } from "../support/smtp.ts";
import { call, FEEDBACK, RunningCommand, workplace } from "./command-process.ts";

/** A folder with settings for a mail server that is down. An email is tried once, and again much later. */
async function placeWithoutMail() {
  const port = await freePort();
  const place = workplace();
  const env = { ...place.env, MAIL_URL: `smtp://127.0.0.1:${port}`, RETRY_ATTEMPTS: "1", RETRY_DELAY_MS: "3600000" };
  const bringUp = async () => {
    const server = await startSmtpServer({ port });
    onTestFinished(() => server.close());
    return server;
  };
  return { place: { ...place, env }, bringUp };
}

test("while the mail server is down, batch continues, status says what waits since when, and the next worker sends it", async () => {
  const { place, bringUp } = await placeWithoutMail();
  const row = (id: string) => `${id},C-1,Hello,I love the new design!`;
  writeFileSync(
    join(place.cwd, "feedback.csv"),
    ["feedback_id,customer_id,subject,feedback_text", row("F-1"), row("F-2"), "F-3,C-404,Hello,Who am I?", ""].join(
      "\n",
    ),
  );
  const batch = await call(["batch", "feedback.csv"], place);
  expect(batch.code).toBe(1);
  const summary = stripVTControlCharacters(batch.stdout);
  expect(summary).toMatch(/processed +3\n +failed +1\n/);
  expect(summary).toMatch(/mails +0 sent, 0 withheld, 2 delayed/);
  expect(summary).toMatch(
    /2 emails wait for the mail server, the first from line 2: .*you don't have to submit anything again/s,
  );
  expect(batch.stderr.match(/refused the connection/g)).toHaveLength(1);

  const [newest] = JSON.parse((await call(["status", "--status", "processing", "--json"], place)).stdout);
  expect(newest).toMatchObject({
    status: "processing",
    failing: { step: "response_sent", attempts: 1, error_code: "mail_unavailable" },
  });
  const list = await call(["status"], place);
  expect(list.stderr).toMatch(
    /2 runs wait for the next attempt, since 20\d\d-.*Z: The mail server at .* refused the connection/,
  );
  const one = stripVTControlCharacters((await call(["status", "F-1"], place)).stdout);
  expect(one).toMatch(
    /problem +The mail server .*\n(?:.*\n)*? +failing +since .*, 1 attempt\n +next try +20.*\n +tried until +20/,
  );

  const server = await bringUp();
  const worker = new RunningCommand(["worker"], place);
  await expect.poll(() => server.mails.length, { timeout: 60_000 }).toBe(2);
  worker.kill("SIGTERM");
  await worker.ended;
}, 180_000);

test("retry tries a waiting email at once, and cancel ends it", async () => {
  const { place, bringUp } = await placeWithoutMail();
  for (const id of ["F-1", "F-2"]) {
    const { code, stdout } = await call(["process", ...FEEDBACK.with(1, id), "--json"], place);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ success: false, status: "processing", error_code: "mail_unavailable" });
  }
  const shown = stripVTControlCharacters((await call(["process", ...FEEDBACK.with(1, "F-1")], place)).stdout);
  expect(shown).toMatch(
    /^… Feedback F-1.*\n +problem +The mail server [^]*retried automatically[^]*try it now +abi-workflows retry workflow-/,
  );
  expect((await call(["cancel", "F-2"], place)).stdout).toBe("F-2 is cancelled.\n");
  const server = await bringUp();
  expect((await call(["retry", "--failed"], place)).stdout).toBe("F-1 continues.\n");
  const again = await call(["process", ...FEEDBACK.with(1, "F-1"), "--json"], place);
  expect(JSON.parse(again.stdout)).toMatchObject({ success: true });
  expect(server.mails).toHaveLength(1);
}, 180_000);
