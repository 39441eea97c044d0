import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import {
  AWAY,
  approveByKey,
  barriers,
  chromiumPath,
  open,
  person,
  serveConsole,
  SKIPPED,
  submit,
  useBrowser,
} from "../../support/console.ts";

/** The test's clock tries to run in the email's frame too, where scripts are blocked. */
const CLOCK_IN_FRAME = /^Blocked script execution in 'about:blank'/;

const sheet = (page: Page, subject: string) => page.locator(".mail-head").getByText(`RE: ${subject}`, { exact: true });

/** Counts how often the page has sent an approval. */
function approvalsOf(page: Page): () => number {
  let count = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/approve")) count += 1;
  });
  return () => count;
}

describe.skipIf(!chromiumPath)(`the approvals page ${SKIPPED}`, () => {
  useBrowser();

  it("can be worked by keys alone, until the emails are in the outbox", async () => {
    const service = await serveConsole();
    const [first, second, third] = await submit(service, {}, { subject: "Second" }, { subject: "Third" });
    const page = await open(service, "approvals");
    await sheet(page, "Search").waitFor();
    await page.keyboard.press("j");
    await sheet(page, "Second").waitFor();
    await page.keyboard.press("k");
    await sheet(page, "Search").waitFor();

    await approveByKey(page);
    await page.getByText("Approved: RE: Search").waitFor();
    expect((await service.application.workflow.getWorkflowResult(first!)).response_id).toBeDefined();
    expect(service.mails().join("")).toContain("RE: Search");

    await sheet(page, "Second").waitFor();
    await page.keyboard.press("e");
    const words = page.getByLabel("Text", { exact: true });
    await words.fill("Dear Nora, we have mended it.");
    await page.locator(".diff ins", { hasText: "mended" }).waitFor();
    await page.keyboard.press("Control+Enter");
    await page.getByText("Approved in your version: RE: Second").waitFor();
    await service.application.workflow.getWorkflowResult(second!);
    expect(service.mails().join("")).toContain("we have mended it.");

    await sheet(page, "Third").waitFor();
    await page.keyboard.press("r");
    await page.keyboard.type("She has called.");
    await page.keyboard.press("Enter");
    await page.getByText("No emails waiting").waitFor();
    const { response_withheld } = await service.application.workflow.getWorkflowResult(third!);
    expect(response_withheld).toContain("She has called.");
    expect(service.mails()).toHaveLength(2);
  });

  it("counts and lists the waiting emails, oldest first, and reaches the newest beyond the first page", async () => {
    const service = await serveConsole();
    const ids = await submit(service, { subject: "Oldest" }, { subject: "Second" }, { subject: "Newest" });
    const page = await open(service, "runs");
    const count = page.locator(".side .count");
    await expect.poll(() => count.allTextContents()).toEqual(["3"]);
    // As if there were two emails to a page.
    const small = (from: string) => {
      const url = new URL(from);
      url.searchParams.set("limit", "2");
      return url.href;
    };
    await page.route(
      ({ pathname }) => pathname === "/approvals",
      (route) => route.continue({ url: small(route.request().url()) }),
    );
    await page.getByRole("link", { name: "Approvals" }).click();
    await expect.poll(() => page.locator("h1").innerText()).toMatch(/^Approvals\s+2\+$/);
    expect(await page.locator(".queue-item b").allInnerTexts()).toEqual(["Oldest", "Second"]);
    await page.getByRole("button", { name: "Load more" }).click();
    await page.locator(".queue-item", { hasText: "Newest" }).click();
    await sheet(page, "Newest").waitFor();
    await expect.poll(() => page.locator("h1").innerText()).toMatch(/^Approvals\s+3$/);
    await approveByKey(page);
    await page.getByText("Approved: RE: Newest").waitFor();
    await service.application.workflow.getWorkflowResult(ids[2]!);
    await expect.poll(() => count.allTextContents()).toEqual(["2"]);
  });

  it("decides only once while a key is held down, even when the next email is on the screen", async () => {
    const service = await serveConsole();
    await submit(service, { subject: "First" }, {});
    const page = await open(service, "approvals");
    const asked = approvalsOf(page);
    await page.locator("button:enabled", { hasText: "Approve" }).waitFor();
    await page.keyboard.down("a");
    await sheet(page, "Search").waitFor();
    await page.locator("button:enabled", { hasText: "Approve" }).waitFor();
    // Pressing it again without releasing it counts as a repetition.
    for (let times = 0; times < 5; times += 1) await page.keyboard.down("a");
    await page.keyboard.up("a");
    await page.keyboard.press("r");
    await page.getByRole("form", { name: "Reject the email" }).waitFor();
    expect(asked()).toBe(1);
    expect(service.mails()).toHaveLength(1);
  });

  it("doesn't apply a click that was meant for the previous email to the next one", async () => {
    const service = await serveConsole();
    await submit(service, { subject: "First" }, {});
    const context = await person();
    await context.clock.install();
    const page = await open(service, "approvals", { context, expected: CLOCK_IN_FRAME });
    const asked = approvalsOf(page);
    await sheet(page, "First").waitFor();
    const button = page.getByRole("button", { name: "Approve" });
    await page.locator("button:enabled", { hasText: "Approve" }).waitFor();
    await context.clock.pauseAt(Date.now() + 3_600_000);
    const { x, y } = (await button.boundingBox())!;
    const click = async (clickCount: number): Promise<void> => {
      await page.mouse.move(x + 5, y + 5);
      await page.mouse.down({ clickCount });
      await page.mouse.up({ clickCount });
    };
    await click(1);
    await expect
      .poll(async () => {
        await context.clock.runFor(20);
        return sheet(page, "Search").isVisible();
      })
      .toBe(true);
    await context.clock.runFor(400);
    await click(1);
    await page.keyboard.press("a");
    await context.clock.runFor(1000);
    expect(await button.isEnabled()).toBe(true);
    await click(2);
    await context.clock.runFor(100);
    expect(await button.isEnabled()).toBe(true);
    expect(asked()).toBe(1);
    await click(1);
    await expect.poll(asked).toBe(2);
  });

  it("doesn't load an email again that this person has already decided on", async () => {
    const service = await serveConsole();
    const [id] = await submit(service, {});
    const context = await person();
    await context.clock.install();
    const page = await open(service, `approvals/${id}`, { context, expected: CLOCK_IN_FRAME });
    await page.getByText("RE: Search", { exact: true }).first().waitFor();
    const looks: string[] = [];
    page.on("request", (request) => looks.push(`${request.method()} ${new URL(request.url()).pathname}`));
    const answered = Promise.withResolvers<void>();
    await page.route("**/approve", async (route) => {
      const response = await route.fetch();
      await answered.promise;
      await route.fulfill({ response });
    });
    const decided = page.waitForRequest("**/approve");
    await approveByKey(page);
    await decided;
    looks.length = 0;
    await service.application.workflow.getWorkflowResult(id!);
    // At some point, the page is notified of the change. Anything it then loads comes with the list, or soon after.
    // Advance in small steps: after a jump in time on a busy machine, the page would think that the service is down.
    const hears = async (): Promise<readonly string[]> => {
      await context.clock.runFor(100);
      return looks;
    };
    await expect.poll(hears).toContain("GET /approvals");
    await context.clock.runFor(10_000);
    answered.resolve();
    await page.getByText("Approved: RE:").waitFor();
    expect(looks).not.toContain(`GET /approvals/${id}`);
  });

  it("sends corrected labels with the decision, and shows them with the feedback", async () => {
    const service = await serveConsole();
    const [id] = await submit(service, {});
    const page = await open(service, "approvals");
    const labels = page.getByRole("region", { name: "Labels" });
    const pressed = () => labels.locator("[aria-pressed=true]").allTextContents();
    await expect.poll(async () => (await pressed()).length).toBeGreaterThan(1);
    const before = (await pressed()).map((text) => text.trim());
    const pending = (await service.application.workflow.getPendingResponse(id!))!;
    expect(before).toEqual([pending.sentiment, ...pending.categories]);
    await labels.getByText("If you approve, they count as right.").waitFor();

    const other = pending.sentiment === "negative" ? "neutral" : "negative";
    await labels.getByRole("button", { name: other }).click();
    await labels.getByRole("button", { name: "general" }).click();
    await labels.getByRole("button", { name: "legal" }).click();
    await labels.getByRole("button", { name: "billing" }).click();
    await labels.getByText("The labels don't change what was done with this feedback.").waitFor();
    await page.keyboard.press("r");
    await page.keyboard.press("Enter");
    await page.getByText("Rejected: RE:").waitFor();

    const { feedback_id } = pending;
    const details = await open(service, `feedback/${feedback_id}`);
    const right = details.locator("p.facts", { hasText: "Correct labels" });
    await right.waitFor();
    expect(await right.innerText()).toMatch(new RegExp(`${other}\\s+billing\\s+legal`));
  });

  it("says that a sentiment is doubtful, and treats it as confirmed only if the person says so", async () => {
    const service = await serveConsole();
    const [id] = await submit(service, { feedback_text: "If you love sitting in silence for an hour, call them." });
    const page = await open(service, "approvals");
    await page.getByRole("img", { name: "positive, doubtful" }).first().waitFor();
    await page.locator(".answered .badge", { hasText: "Doubtful" }).waitFor();
    const labels = page.getByRole("region", { name: "Labels" });
    await labels.getByText("The sentiment is doubtful, and approving the email doesn't confirm it.").waitFor();
    await labels.getByRole("button", { name: "positive" }).click();
    await labels.getByText("Your labels are stored with your decision").waitFor();
    await approveByKey(page);
    await page.getByText("Approved: RE:").waitFor();
    await service.application.workflow.getWorkflowResult(id!);
    const { mails } = await service.application.workflow.getFeedback("F-1");
    expect(mails[0]?.decision).toMatchObject({ decision: "approve", sentiment: "positive" });
    expect(mails[0]?.decision?.categories).toBeUndefined();

    const details = await open(service, "feedback/F-1");
    await details.locator(".column-side .badge", { hasText: "Doubtful" }).waitFor();
    await details.locator(".fact", { hasText: "Doubt raised by" }).getByText("If you love").waitFor();
  });

  it("shows the customer's text even to people who may only decide", async () => {
    const secret = "decider-0123456789abcdef";
    const service = await serveConsole({ httpTokens: `ann:approve:${secret}` });
    await submit(service, { feedback_text: "Très mauvais service, je suis déçu." });
    const page = await open(service, "approvals", { context: await person(), expected: /401|403/ });
    await page.getByLabel("Token").fill(secret);
    await page.keyboard.press("Enter");
    const answered = page.getByRole("complementary", { name: "What it answers" });
    await answered.getByText("Très mauvais service").waitFor();
    await answered.getByText("Text not read").waitFor();
    expect(await answered.getByRole("link").count()).toBe(0);
  });

  it("aligns the times in one column, whatever badges the emails have", async () => {
    const service = await serveConsole();
    await submit(service, {}, { feedback_text: "The third outage this month. I am furious.", customer_id: "C-1022" });
    const page = await open(service, "approvals");
    await page.getByText("escalated").waitFor();
    // The right edge of the letters, not of their boxes.
    const ends = (await page.evaluate(`[...document.querySelectorAll(".queue-item time")].map((time) => {
      const letters = document.createRange();
      letters.selectNodeContents(time);
      return Math.round(letters.getBoundingClientRect().right);
    })`)) as number[];
    expect(ends).toHaveLength(2);
    expect(ends[0]).toBe(ends[1]);
  });

  it("ignores decision keys while somebody is typing", async () => {
    const service = await serveConsole();
    await submit(service, { subject: "First" }, {});
    const page = await open(service, "approvals");
    const asked: string[] = [];
    page.on("request", (request) => {
      if (request.method() === "POST" && request.url().includes("/approvals/")) asked.push(request.url());
    });
    await page.locator("button:enabled", { hasText: "Approve" }).waitFor();
    await page.keyboard.press("e");
    const text = page.getByLabel("Text", { exact: true });
    const before = await text.inputValue();
    await text.press("ControlOrMeta+End");
    await text.pressSequentially("aerjk1/?");
    expect(await text.inputValue()).toBe(`${before}aerjk1/?`);
    const subject = page.getByLabel("Subject");
    await subject.press("End");
    await subject.pressSequentially("aerjk");
    expect(await subject.inputValue()).toBe("RE: Firstaerjk");
    expect(await page.locator("dialog[open]").count()).toBe(0);
    await page.keyboard.press("Escape");
    await page.keyboard.press("r");
    const reason = page.getByLabel(/Why not/);
    await reason.pressSequentially("aerjk");
    expect(await reason.inputValue()).toBe("aerjk");
    await page.keyboard.press("Escape");
    await sheet(page, "First").waitFor();
    expect(asked).toEqual([]);
    expect(service.mails()).toEqual([]);
  });

  it("keeps what somebody has typed until it is sent or discarded", async () => {
    const service = await serveConsole();
    const [id] = await submit(service, {});
    const page = await open(service, `approvals/${id}`);
    await page.locator("button:enabled", { hasText: "Approve" }).waitFor();
    await page.keyboard.press("r");
    await page.keyboard.type("She has called.");
    await page.keyboard.press("Escape");
    expect(await page.getByText("your changes are kept").count()).toBe(0);
    await page.keyboard.press("e");
    const text = page.getByLabel("Text", { exact: true });
    const before = await text.inputValue();
    await text.fill("Dear Nora, we have mended it.");
    await page.keyboard.press("Escape");
    await page.getByText("your changes are kept").waitFor();
    await page.keyboard.press("1");
    await page.locator(".row").waitFor();
    await page.goBack();
    await page.getByText("your changes are kept").waitFor();
    await page.keyboard.press("e");
    expect(await text.inputValue()).toBe("Dear Nora, we have mended it.");
    await page.getByRole("button", { name: "Discard changes" }).click();
    await page.getByRole("button", { name: "Edit" }).waitFor();
    expect(await page.getByText("your changes are kept").count()).toBe(0);
    await page.keyboard.press("e");
    expect(await text.inputValue()).toBe(before);
    await page.keyboard.press("Escape");
    await page.keyboard.press("r");
    expect(await page.getByLabel(/Why not/).inputValue()).toBe("She has called.");
  });

  it("keeps what somebody types when their session ends, and hides the page until they sign in again", async () => {
    const service = await serveConsole();
    const [id] = await submit(service, {});
    const context = await person();
    const page = await open(service, "approvals", { context, expected: /401/ });
    await page.locator("button:enabled", { hasText: "Approve" }).waitFor();
    await page.keyboard.press("e");
    const text = page.getByLabel("Text", { exact: true });
    await text.fill("Dear Nora, we have mended it.");
    await context.clearCookies();
    await page.keyboard.press("Control+Enter");
    const dialog = page.getByRole("dialog", { name: "Sign in again" });
    await dialog.waitFor();
    for (const _ of [1, 2]) await page.keyboard.press("Escape");
    // The browser closes the dialog at the second Escape, and the console opens it again.
    const isHidden = () => page.evaluate("document.elementFromPoint(400, 60).closest('dialog') !== null");
    await expect.poll(isHidden).toBe(true);
    expect(await barriers(page)).toEqual([]);
    await page.getByLabel("Token").fill(service.token!);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    expect(await text.inputValue()).toBe("Dear Nora, we have mended it.");
    await page.locator("textarea:focus").waitFor();
    await page.keyboard.press("Control+Enter");
    await page.getByText("Approved in your version").waitFor();
    await service.application.workflow.getWorkflowResult(id!);
    expect(service.mails().join("")).toContain("we have mended it.");
  });

  it("opens the text at its beginning, and shows all changes and the feedback that the email answers", async () => {
    const service = await serveConsole();
    const [id] = await submit(service, {});
    const pending = (await service.application.workflow.getPendingResponse(id!))!;
    const text = `Hello,\n\n${"One of many lines.\n".repeat(60)}a member of our team will write.`;
    const page = await open(service, "runs");
    await page.route(
      ({ pathname }) => pathname === `/approvals/${id}`,
      (route) => route.fulfill({ json: { ...pending, text } }),
    );
    await page.goto(`${service.url}/console/approvals/${id}`);
    await page.locator("button:enabled", { hasText: "Approve" }).waitFor();
    await page.getByText("What it answers").waitFor();
    await page.keyboard.press("e");
    const field = page.getByLabel("Text", { exact: true });
    expect(await page.evaluate("[document.activeElement.selectionStart, document.activeElement.scrollTop]")).toEqual([
      0, 0,
    ]);
    await field.fill(text.replace("a member of our", "Ann from the"));
    const changes = page.locator("form .diff");
    await expect.poll(() => changes.locator("ins").allTextContents()).toEqual(["Ann from the "]);
    expect(await changes.locator("del").allTextContents()).toEqual(["a member of our "]);
    const top = async (element: Locator) => (await element.boundingBox())!.y;
    expect(await top(page.getByText("What it answers"))).toBeLessThan(await top(field));
    // It is visible in a window 800 pixels high, however long the comparison is.
    expect(await top(page.getByRole("button", { name: "Approve this version" }))).toBeLessThan(760);
  });

  it("moves the focus to the next email after a decision, and to the page after the last one", async () => {
    const service = await serveConsole();
    await submit(service, { subject: "First" }, {});
    const page = await open(service, "approvals");
    const focused = () => page.evaluate("document.activeElement.className.split(' ')[0]");
    await page.locator("button:enabled", { hasText: "Approve" }).click();
    await sheet(page, "Search").waitFor();
    await page.locator("article:focus").waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.closest('[role=toolbar]') !== null")).toBe(true);
    await page.keyboard.press("e");
    await page.locator("textarea:focus").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("article:focus").waitFor();
    await approveByKey(page);
    await page.getByText("No emails waiting").waitFor();
    await expect.poll(focused).toBe("main");
  });

  it("shows a decision that somebody else made meanwhile, and doesn't override it", async () => {
    const service = await serveConsole();
    const [id] = await submit(service, {});
    const [page, other] = await Promise.all([
      open(service, "approvals"),
      open(service, "approvals", { expected: /409|404/ }),
    ]);
    await Promise.all([page.locator(".mail-head").waitFor(), other.locator(".mail-head").waitFor()]);
    // This page loads nothing any more, so it can't know about the decision.
    await other.route("**/approvals/workflow-*", (route) =>
      route.request().method() === "GET" ? undefined : route.continue(),
    );
    await page.keyboard.press("r");
    await page.keyboard.press("Enter");
    await page.getByText("Rejected: RE: Search").waitFor();
    await approveByKey(other);
    await other.getByText(/rejected this email/).waitFor();
    await other.getByText("That decision stands. See the run").waitFor();
    expect(await other.getByRole("button", { name: "Approve" }).isDisabled()).toBe(true);
    expect((await service.application.workflow.getWorkflowResult(id!)).response_withheld).toBeDefined();
    expect(service.mails()).toEqual([]);
  });

  it("decides only on the email on the screen: if that is replaced, it shows the changes and asks again", async () => {
    const service = await serveConsole();
    const [id] = await submit(service, {});
    const page = await open(service, "approvals", { expected: AWAY });
    await page.locator(".mail-head").waitFor();
    const pending = (await service.application.workflow.getPendingResponse(id!))!;
    await page.route("**/approvals/workflow-*", async (route) => {
      const text = `${pending.text} Many thanks.`;
      await route.fulfill({ json: { ...pending, text, rendering: "0".repeat(64) } });
    });
    await service.stop();
    await service.start();
    await page.getByText("Another email is waiting now.").waitFor();
    await page.locator(".diff ins", { hasText: "Many thanks" }).waitFor();
    expect(await page.getByRole("button", { name: "Approve" }).isDisabled()).toBe(true);
    await page.keyboard.press("a");
    expect(service.mails()).toEqual([]);
    await page.getByRole("button", { name: "Look at the new email" }).click();
    await expect.poll(() => page.getByRole("button", { name: "Approve" }).isEnabled()).toBe(true);
  });

  it("shows nothing to people who may not decide", async () => {
    const secret = "reader-0123456789abcdef";
    const service = await serveConsole({ httpTokens: `reader:feedback:read:${secret}` });
    const context = await person();
    const page = await open(service, "approvals", { context, expected: /401/ });
    await page.getByLabel("Token").fill(secret);
    await page.keyboard.press("Enter");
    await page.getByText("You can't decide here").waitFor();
    expect(await page.getByRole("button", { name: "Approve" }).count()).toBe(0);
  });
});
