import { describe, expect, it, onTestFinished, vi } from "vitest";
import { feedback, startFeedback, values } from "../support/feedback.ts";

const HOUR = 3_600_000;

/** Date alone: timers run on, as they do when somebody sets the clock of a machine. */
function setClock(offsetMs: number): void {
  const now = Date.now() + offsetMs;
  vi.useFakeTimers({ toFake: ["Date"], now });
  onTestFinished(() => void vi.useRealTimers());
}

describe("when the clock jumps", () => {
  it("ahead and back, no customer gets more mails than the cap, and every run ends", async () => {
    let now = Date.parse("2026-05-05T12:00:00Z");
    const responseCap = { responses: 2, minutes: 60 };
    const { workflow, mails, ontologyStore } = await startFeedback({ responseCap, clock: () => new Date(now) });
    let count = 0;
    const answered = async (): Promise<boolean> => {
      const result = await workflow.run(feedback({ feedback_id: `F-${++count}` }));
      expect(result.success).toBe(true);
      return result.response_id !== undefined;
    };
    expect([await answered(), await answered(), await answered()]).toEqual([true, true, false]);
    now += 2 * HOUR;
    expect([await answered(), await answered(), await answered()]).toEqual([true, true, false]);
    // What has its time in the future counts as sent just now: too few mails rather than too many.
    now -= 5 * HOUR;
    expect(await answered()).toBe(false);
    now += 5 * HOUR;
    expect(await answered()).toBe(false);
    now += 2 * HOUR;
    expect(await answered()).toBe(true);
    expect(mails.mails).toHaveLength(5);
    expect(await values(ontologyStore, "Feedback", "abi:id")).toHaveLength(count);
  });

  it("an hour ahead while a mail is on its way, the mail is not sent by a second one", async () => {
    const { workflow, engine, mails } = await startFeedback();
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    mails.script("data", { after: answer });
    const arrived = mails.reached("data");
    const id = await workflow.startWorkflow(feedback());
    await arrived;
    setClock(HOUR);
    // Other runs make the engine look for what is due.
    for (const feedback_id of ["F-2", "F-3"]) {
      expect(await workflow.run(feedback({ feedback_id }))).toMatchObject({ success: true });
    }
    resolve();
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    const attempts = (await workflow.getWorkflowHistory(id)).filter(({ step }) => step === "response_sent");
    expect(attempts.map(({ status }) => status)).toEqual(["completed"]);
    expect(mails.mails).toHaveLength(3);
  });
});
