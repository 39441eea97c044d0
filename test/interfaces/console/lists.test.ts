import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import {
  chromiumPath,
  open,
  person,
  serveConsole,
  SKIPPED,
  submit,
  useBrowser,
  type ConsoleService,
} from "../../support/console.ts";

/** Submits this many pieces of feedback, `Subject 1` first. Returns the ids of their runs. */
async function submitMany(service: ConsoleService, count: number): Promise<string[]> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return submit(service, ...numbers.map((n) => ({ feedback_id: `F-${n}`, subject: `Subject ${n}` })));
}

/** Approves the email of a run elsewhere than on the page. */
async function approve({ application: { workflow } }: ConsoleService, id: string): Promise<void> {
  const { rendering } = (await workflow.getPendingResponse(id))!;
  await workflow.approveResponse(id, { rendering, by: "Ann" });
  await workflow.getWorkflowResult(id);
}

const topOf = async (row: Locator): Promise<number> => Math.round((await row.boundingBox())!.y);

/** Finds a row by scrolling, as people do. */
async function scrollTo(page: Page, row: Locator): Promise<void> {
  await expect
    .poll(async () => {
      await page.mouse.wheel(0, 1500);
      return row.count();
    })
    .toBe(1);
  await row.evaluate((element: unknown) =>
    (element as { scrollIntoView: (options: object) => void }).scrollIntoView({ block: "center" }),
  );
}

/** Gives a list pages of this size. */
async function inPagesOf(limit: string, page: Page, path: string): Promise<void> {
  await page.route(
    (url) => url.pathname === path,
    (route) => {
      const url = new URL(route.request().url());
      url.searchParams.set("limit", limit);
      return route.continue({ url: url.href });
    },
  );
}

describe.skipIf(!chromiumPath)(`lists ${SKIPPED}`, () => {
  useBrowser();

  it("return to the row that was opened when somebody comes back to the inbox, even after a reload", async () => {
    const service = await serveConsole();
    await submitMany(service, 130);
    const page = await open(service, "");
    const row = page.locator(".row", { hasText: "Subject 20 " });
    const focused = page.locator(".row:focus");
    await page.mouse.move(600, 400);
    await scrollTo(page, row);
    const top = await topOf(row);
    const isBack = async (): Promise<void> => {
      await expect.poll(() => focused.allTextContents()).toEqual([expect.stringContaining("Subject 20 ")]);
      await expect.poll(async () => Math.abs((await topOf(row)) - top)).toBeLessThan(3);
    };
    await row.click();
    await page.getByRole("heading", { name: "Subject 20" }).waitFor();
    expect(await page.evaluate("scrollY")).toBe(0);
    await page.goBack();
    await isBack();
    await page.keyboard.press("j");
    await expect.poll(() => focused.allTextContents()).toEqual([expect.stringContaining("Subject 19 ")]);
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Subject 20" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Subject 20" }).waitFor();
    await page.goBack();
    await isBack();
  });

  it("return to their position when somebody goes back, and don't move once the person scrolls", async () => {
    const service = await serveConsole();
    await submitMany(service, 130);
    const page = await open(service, "");
    await page.mouse.move(600, 400);
    await scrollTo(page, page.locator(".row", { hasText: "Subject 20 " }));
    const left = (await page.evaluate("scrollY")) as number;
    expect(left).toBeGreaterThan(2000);
    await page.keyboard.press("4");
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    await page.goBack();
    await expect.poll(() => page.evaluate(`Math.abs(scrollY - ${left}) < 3`)).toBe(true);
    await page.locator("main:focus").waitFor();
    await page.goForward();
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    await expect.poll(() => page.evaluate("scrollY")).toBe(0);
    // The rows load slowly, and somebody scrolls meanwhile.
    await page.reload();
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    const held = Promise.withResolvers<void>();
    await page.route("**/list_feedback", async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.goBack();
    await page.getByLabel("Loading feedback").waitFor();
    await page.mouse.wheel(0, -10);
    held.resolve();
    await page.locator(".row", { hasText: "Subject 130 " }).waitFor();
    await page.waitForTimeout(500);
    expect(await page.evaluate("scrollY")).toBe(0);
  });

  it("return to the row that was opened when somebody comes back to the runs, page by page", async () => {
    const service = await serveConsole({ approval: false });
    await submitMany(service, 60);
    const page = await open(service, "runs");
    const row = page.locator("tbody a", { hasText: /^F-3$/ });
    await inPagesOf("40", page, "/runs");
    await page.reload();
    const older = page.getByRole("link", { name: "Older" });
    await page.locator("tbody a", { hasText: /^F-60$/ }).waitFor();
    expect(await page.locator("tbody a").count()).toBe(40);
    await older.click();
    await row.waitFor();
    expect(await page.locator("tbody a").count()).toBe(20);
    expect(await older.count()).toBe(0);
    await row.scrollIntoViewIfNeeded();
    const top = await topOf(row);
    await row.click();
    await page.getByRole("heading", { name: "F-3" }).waitFor();
    await page.goBack();
    await expect.poll(() => page.locator("tbody a:focus").allTextContents()).toEqual(["F-3"]);
    await expect.poll(async () => Math.abs((await topOf(row)) - top)).toBeLessThan(3);
    await page.goBack();
    await page.locator("a:focus", { hasText: "Older" }).waitFor();
    expect(await page.evaluate("scrollY")).toBeGreaterThan(300);
  });

  it.each([
    ["a desktop", { width: 1280, height: 800 }],
    ["a phone", { width: 390, height: 844 }],
  ])("return to the email that was opened when somebody comes back to the approvals, on %s", async (_of, viewport) => {
    const service = await serveConsole({ responseCap: 100 });
    await submitMany(service, 40);
    const context = await person({ viewport });
    const page = await open(service, "", { context });
    await inPagesOf("30", page, "/approvals");
    await page.goto(`${service.url}/console/approvals`);
    const items = page.locator(".queue-item");
    await expect.poll(() => items.count()).toBe(30);
    await page.getByRole("button", { name: "Load more" }).click();
    await expect.poll(() => items.count()).toBe(40);
    const item = items.nth(35);
    const subject = await item.locator("b").innerText();
    await item.scrollIntoViewIfNeeded();
    const top = await topOf(item);
    await item.click();
    await page.locator(".mail-head", { hasText: `RE: ${subject}` }).waitFor();
    await page.locator(".answered h2 a").click();
    await page.getByRole("heading", { name: subject, exact: true }).waitFor();
    await page.goBack();
    await page.locator(".answered a:focus").waitFor();
    await page.locator(".queue-item[aria-current]", { hasText: subject }).waitFor({ state: "attached" });
    // A phone hides the list beside an email.
    await expect.poll(async () => (await item.boundingBox())?.y ?? 0).toBeLessThan(viewport.height);
    await page.goBack();
    await expect.poll(() => page.locator(".queue-item:focus b").allInnerTexts()).toEqual([subject]);
    await expect.poll(async () => Math.abs((await topOf(item)) - top)).toBeLessThan(3);
  });

  it("load more rows when their end becomes visible, until there are no more", async () => {
    const service = await serveConsole();
    await submitMany(service, 120);
    const context = await person();
    // Otherwise a change would reload the rows, including those that failed to load.
    await context.route("**/runs/events*", () => {});
    const page = await open(service, "", { context, expected: /500/ });
    const rows = page.locator(".row");
    const more = page.locator(".more");
    await expect.poll(() => rows.count()).toBe(50);
    await page.route("**/list_feedback", (route) => route.fulfill({ status: 500, json: {} }));
    await page.mouse.move(600, 400);
    await page.mouse.wheel(0, 1500);
    await expect.poll(() => more.innerText()).toBe("That did not work. Try again");
    await page.unroute("**/list_feedback");
    expect(await rows.count()).toBe(50);
    await more.press("Enter");
    await expect.poll(() => rows.count()).toBe(100);
    await page.mouse.wheel(0, 5000);
    await expect.poll(() => rows.count()).toBe(120);
    expect(await more.count()).toBe(0);
    expect(await rows.locator("b").allInnerTexts()).toEqual(
      Array.from({ length: 120 }, (_, index) => `Subject ${120 - index}`),
    );
  });

  it("announce new rows to people who have scrolled down, and don't move what they read", async () => {
    const service = await serveConsole();
    await submitMany(service, 60);
    const page = await open(service, "");
    const rows = page.locator(".row");
    const news = page.locator(".news");
    await expect.poll(() => rows.count()).toBe(50);
    await submit(service, { feedback_id: "F-61", subject: "Seen at once" });
    await rows.first().getByText("Seen at once").waitFor();
    expect(await news.count()).toBe(0);
    await page.mouse.move(600, 400);
    await page.mouse.wheel(0, 900);
    const row = page.locator(".row", { hasText: "Subject 30 " });
    await expect.poll(() => page.evaluate("scrollY")).toBe(900);
    const top = await topOf(row);
    await submit(
      service,
      { feedback_id: "F-62", subject: "First new" },
      { feedback_id: "F-63", subject: "Second new" },
    );
    await news.getByText("2 new").waitFor();
    await expect.poll(() => topOf(news)).toBeGreaterThanOrEqual(0);
    expect(await topOf(news)).toBeLessThan(800);
    expect(await topOf(row)).toBe(top);
    expect(await page.getByText("First new").count()).toBe(0);
    await news.click();
    await rows.first().getByText("Second new").waitFor();
    await rows.nth(1).getByText("First new").waitFor();
    expect(await page.evaluate("scrollY")).toBe(0);
    expect(await news.count()).toBe(0);
  });

  it("drop rows that no longer match the filter, without moving the others or losing the reader's place", async () => {
    const service = await serveConsole({ responseCap: 100 });
    const ids = await submitMany(service, 60);
    const page = await open(service, "?status=waiting_for_approval");
    const rows = page.locator(".row");
    const row = (n: number) => page.locator(".row", { hasText: `Subject ${n}` });
    await expect.poll(() => rows.count()).toBe(50);
    await page.mouse.move(600, 400);
    await page.mouse.wheel(0, 900);
    await expect.poll(() => page.evaluate("scrollY")).toBe(900);
    await row(30).focus();
    const top = await topOf(row(29));
    await approve(service, ids[58 - 1]!);
    await row(58).waitFor({ state: "detached" });
    expect(await page.locator(".news").count()).toBe(0);
    await expect.poll(async () => Math.abs((await topOf(row(29))) - top)).toBeLessThan(3);
    await approve(service, ids[30 - 1]!);
    await row(30).waitFor({ state: "detached" });
    await page.keyboard.press("j");
    await expect.poll(() => page.locator(".row:focus b").allInnerTexts()).toEqual(["Subject 29"]);
    expect(await page.getByText("Replied").count()).toBe(0);
  });

  it("update rows below the first page, without loading the others", async () => {
    const service = await serveConsole();
    const ids = await submitMany(service, 130);
    const page = await open(service, "");
    const row = (n: number) =>
      page.locator(".row", { has: page.locator("b", { hasText: new RegExp(`^Subject ${n}$`) }) });
    await page.mouse.move(600, 400);
    // The customer gets ten emails at most, so only the first ten pieces of feedback wait.
    await scrollTo(page, row(9));
    await row(9).getByText("Needs approval").waitFor();
    const top = await topOf(row(9));
    // When the stream of changes begins, all rows count as changed. Let that pass.
    await approve(service, ids[10 - 1]!);
    await row(10).getByText("Replied").waitFor();
    let loaded = 0;
    page.on("response", async (response) => {
      if (response.url().endsWith("/list_feedback"))
        loaded += ((await response.json()) as { feedback: unknown[] }).feedback.length;
    });
    await approve(service, ids[8 - 1]!);
    await row(8).getByText("Replied").waitFor();
    expect(Math.abs((await topOf(row(9))) - top)).toBeLessThan(3);
    // The run may have changed a few times in quick succession.
    await expect.poll(() => loaded % 50).toBeGreaterThan(0);
    expect(loaded % 50).toBeLessThan(5);
    await row(9).click();
    await page.getByRole("heading", { name: "Subject 9" }).waitFor();
    await approve(service, ids[7 - 1]!);
    await page.getByLabel("7 waiting").waitFor();
    await page.goBack();
    await row(7).getByText("Replied").waitFor();
    await expect.poll(async () => Math.abs((await topOf(row(9))) - top)).toBeLessThan(3);
    expect(await page.locator(".row").count()).toBe(130);
  });

  it("name the status of a run as the filter does", async () => {
    const service = await serveConsole();
    await submit(service, {});
    const page = await open(service, "");
    await page.locator(".row").waitFor();
    const option = page.getByLabel("Status").locator("option");
    for (const status of ["started", "processing", "waiting_for_approval", "failed", "cancelled"]) {
      await page.route("**/list_feedback", async (route) => {
        const response = await route.fetch();
        const { feedback } = (await response.json()) as { feedback: object[] };
        await route.fulfill({ response, json: { feedback: [{ ...feedback[0], status }] } });
      });
      await page.reload();
      await page.locator(".row .badge").waitFor();
      const value = { hasText: await page.locator(".row .badge").innerText() };
      expect(await option.filter(value).getAttribute("value")).toBe(status);
      await page.unroute("**/list_feedback");
    }
  });

  it("show the date once, and the time in each row", async () => {
    const service = await serveConsole();
    await submit(service, {});
    const context = await person();
    await context.clock.setFixedTime(Date.now() + 3 * 86_400_000);
    const page = await open(service, "", { context });
    await page.locator(".row").waitFor();
    expect(await page.locator(".day h2").innerText()).toMatch(/^\w+day, \d+ \w+ \d{4}$/);
    expect(await page.locator(".row time").innerText()).toMatch(/^\d\d:\d\d$/);
  });
});
