import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import {
  barriers,
  chromiumPath,
  open,
  person,
  serveConsole,
  SKIPPED,
  submit,
  useBrowser,
} from "../../support/console.ts";
import { rawMail } from "../../support/raw-mail.ts";

/** Part of the browser's elements, whose types are unknown here. */
interface Styled {
  style: { fontSize: string };
}

const FEEDBACK = { feedback_id: "F-1", customer_id: "C-1001", subject: "Search", feedback_text: "I love the search." };
const COMPLAINT = {
  feedback_id: "F-2",
  customer_id: "C-1022",
  subject: "Third outage",
  feedback_text: "The third outage this month. I am furious.",
};

/** The window's horizontal overflow, and elements that overflow it and can't be scrolled to. */
const tooWide = (page: Page): Promise<string[]> =>
  page.evaluate(`(() => {
    const isReached = (element) => {
      for (let at = element; at; at = at.parentElement)
        if (at !== document.documentElement && ["auto", "scroll", "hidden"].includes(getComputedStyle(at).overflowX)) return true;
      return false;
    };
    const { documentElement: root } = document;
    const wide = [...document.querySelectorAll("body *")].filter(
      (element) => element.getBoundingClientRect().right > innerWidth + 0.5 && !isReached(element),
    );
    return [
      ...(root.scrollWidth > innerWidth ? ["page: " + root.scrollWidth] : []),
      ...wide.map((element) => element.outerHTML.slice(0, 80)),
    ];
  })()`);

describe.skipIf(!chromiumPath)(`every page ${SKIPPED}`, () => {
  useBrowser();

  it.each([".", "..", "%2e%2e", "~", "a/b?c#d", "?id=..", "日本"])(
    "can be opened and left by its address, even for the id %j",
    async (feedback_id) => {
      const service = await serveConsole();
      await submit(service, { feedback_id });
      const page = await open(service, "");
      const crumb = page.locator(".crumbs .muted").getByText(feedback_id, { exact: true });
      await page.locator(".row").click();
      await crumb.waitFor();
      await page.reload();
      await crumb.waitFor();
      await page.goBack();
      await page.locator(".row").waitFor();
      await page.goForward();
      await crumb.waitFor();
      expect(await page.locator("h1").textContent()).toBe("Search");
    },
  );

  it("doesn't mistake half an answer for an empty one", async () => {
    const page = await open(await serveConsole(), "charts");
    await page.route("**/list_feedback", (route) =>
      route.fulfill({ contentType: "application/json", body: '{"feedback":[' }),
    );
    await page.getByRole("link", { name: "Inbox" }).click();
    await page.getByText("The service's answer was interrupted.").waitFor();
    expect(await page.getByText("No feedback yet").count()).toBe(0);
    await page.unroute("**/list_feedback");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("No feedback yet").waitFor();
  });

  it.each(["light", "dark"] as const)(
    "shows its content and has no accessibility barriers, %s",
    async (colorScheme) => {
      const service = await serveConsole();
      const [first, second] = await submit(service, {}, COMPLAINT);
      const context = await person({ colorScheme });
      const pages: readonly [path: string, text: string | RegExp][] = [
        ["", "Third outage"],
        ["feedback/F-2", "Critical category"],
        ["approvals", "What it answers"],
        [`approvals/${first}`, "RE: Search"],
        ["runs", "F-2"],
        [`runs/${second}`, "Ticket created"],
        ["charts", "Sentiment over time"],
        ["try?text=You+charged+me+twice", "billing"],
        ["graph?query=SELECT+%3Fs+(COUNT(%3Ff)+AS+%3Fn)+%7B+%3Ff+abi:sentiment+%3Fs+%7D+GROUP+BY+%3Fs", "2 rows"],
        ["nowhere", "There is no such page"],
      ];
      for (const [path, text] of pages) {
        const page = await open(service, path, { context });
        await page.getByText(text).first().waitFor();
        expect({ path, barriers: await barriers(page) }).toEqual({ path, barriers: [] });
        await page.close();
      }
    },
  );

  it("fits on a phone, with everything in reach", async () => {
    const service = await serveConsole({}, { hasChat: true });
    const [first, second] = await submit(service, { feedback_id: `auto-${"0".repeat(32)}` }, COMPLAINT);
    const context = await person({ viewport: { width: 390, height: 844 } });
    const pages: readonly [path: string, text: string][] = [
      ["", "Third outage"],
      ["feedback/F-2", "Critical category"],
      ["approvals", "Third outage"],
      [`approvals/${first}`, "What it answers"],
      ["chat", "What should the agent do?"],
      ["runs", "F-2"],
      [`runs/${second}`, "Ticket created"],
      ["charts", "Sentiment over time"],
      ["try?text=You+charged+me+twice", "billing"],
      ["graph", "Questions"],
      ["nowhere", "There is no such page"],
    ];
    for (const [path, text] of pages) {
      const page = await open(service, path, { context });
      await page.getByText(text).locator("visible=true").first().waitFor();
      expect({ path, over: await tooWide(page) }).toEqual({ path, over: [] });
      expect({ path, barriers: await barriers(page) }).toEqual({ path, barriers: [] });
      await page.close();
    }
    const page = await open(service, "", { context });
    await page.getByRole("button", { name: "System" }).click();
    await page.getByRole("button", { name: "Light" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  it("keeps filters in the address, and supports going back", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, {}, COMPLAINT);
    const page = await open(service, "");
    await page.getByText("I love the new search").waitFor();
    await page.getByLabel("Sentiment").selectOption("negative");
    await page.getByText("I love the new search").waitFor({ state: "detached" });
    expect(new URL(page.url()).search).toBe("?sentiment=negative");
    await page.getByRole("link", { name: /Third outage/ }).click();
    await page.getByRole("heading", { name: "Third outage" }).waitFor();
    await page.goBack();
    await page.goBack();
    await page.getByText("I love the new search").waitFor();
    await page.getByRole("searchbox").fill("FURIOUS");
    await page.getByText("I love the new search").waitFor({ state: "detached" });
    await expect.poll(() => page.locator(".row").count()).toBe(1);
  });

  it("gets the focus when it opens, and its search gets it by a key", async () => {
    const service = await serveConsole();
    await submit(service, {}, COMPLAINT);
    const page = await open(service, "");
    await page.locator(".row").first().waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("furious");
    await page.getByText("I love the new search").waitFor({ state: "detached" });
    expect(await page.getByRole("searchbox").inputValue()).toBe("furious");
    await page.locator(".side").getByRole("link", { name: "Runs" }).click();
    await page.locator("main:focus").waitFor();
  });

  it("shows only the feedback of one customer if the address says so", async () => {
    const service = await serveConsole();
    await submit(service, {}, COMPLAINT);
    const page = await open(service, "?customer_id=C-1022");
    await page.getByText("Customer C-1022").waitFor();
    await page.locator(".row", { hasText: "Third outage" }).waitFor();
    expect(await page.locator(".row").count()).toBe(1);
    await page.getByRole("link", { name: "Clear" }).click();
    await expect.poll(() => page.locator(".row").count()).toBe(2);
  });

  it("lets people go through the inbox by keys", async () => {
    const service = await serveConsole();
    await submit(service, {}, COMPLAINT);
    const page = await open(service, "");
    const rows = page.locator(".row");
    await expect.poll(() => rows.count()).toBe(2);
    const focused = page.locator(".row:focus");
    const visited: string[] = [];
    for (const key of ["j", "j", "j", "k"]) {
      await page.keyboard.press(key);
      visited.push((await focused.getAttribute("href")) ?? "");
    }
    const hrefs = await rows.evaluateAll((all) => all.map((row) => row.getAttribute("href")));
    expect(visited).toEqual([hrefs[0], hrefs[1], hrefs[1], hrefs[0]]);
  });

  it("shows the graph's counts", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, {}, COMPLAINT);
    const page = await open(service, "charts");
    await page.getByText("Sentiment over time").first().waitFor();
    const tiles = await page.locator(".tile").allInnerTexts();
    expect(tiles.map((text) => text.replaceAll(/\s+/g, " "))).toEqual([
      "Feedback 2",
      "Negative 50 %",
      "Escalated 50 %",
      "Answered 100 %",
    ]);
    const figures = page.locator("figure", { hasText: "What was decided" });
    await figures.getByText("Figures").click();
    const rows = await figures.locator("tbody tr").allInnerTexts();
    expect(rows.map((text) => text.replaceAll(/\s+/g, " ")).toSorted()).toEqual(["answer by email 1", "escalate 1"]);
  });

  it("shows each attempt of a step that keeps failing, and can retry it now", async () => {
    const service = await serveConsole({ approval: false, mailUrl: "smtp://127.0.0.1:1" });
    await service.application.workflow.startWorkflow(FEEDBACK);
    const page = await open(service, "feedback/F-1");
    await page.getByText(/keeps failing: \d+ attempts? since \d/).waitFor();
    const failed = page.locator(".span.failed", { hasText: "Response sent" });
    await expect.poll(() => failed.count()).toBeGreaterThan(0);
    const before = await failed.count();
    await page.getByRole("button", { name: "Retry" }).click();
    await page.getByText("The run continues.").waitFor();
    await expect.poll(() => failed.count()).toBeGreaterThan(before);
    await page.getByRole("button", { name: "Cancel run" }).click();
    await page.getByRole("button", { name: "Yes, cancel" }).click();
    await page.locator(".page-head").getByText("Cancelled").waitFor();
  });

  it("says why a run has failed", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, { customer_id: "C-1016" });
    const page = await open(service, "feedback/F-1");
    await page.getByRole("button", { name: "Retry" }).waitFor();
    expect(await page.locator(".notice.bad").textContent()).toContain("The customer has no usable email address");
  });

  it("follows a run again that somebody else resumes", async () => {
    const service = await serveConsole();
    const { workflow } = service.application;
    const id = (await submit(service, {}))[0]!;
    await workflow.cancelWorkflow(id);
    const page = await open(service, "feedback/F-1");
    await page.getByRole("button", { name: "Retry" }).waitFor();
    await workflow.retryWorkflow(id);
    await page.getByRole("button", { name: "Cancel run" }).waitFor();
    await page.locator(".page-head").getByText("Needs approval").waitFor();
    await workflow.cancelWorkflow(id);
    await expect.poll(() => page.getByRole("button", { name: "Retry" }).count()).toBe(1);
  });

  it("says that nothing was decided if a run ended before, and has no legend without marks", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, { customer_id: "C-9999" });
    const page = await open(service, "feedback/F-1");
    await page.getByText("None: the run failed before one was made").waitFor();
    expect(await page.locator(".fact", { hasText: "Categories" }).innerText()).toMatch(/Categories\s+—/);
    expect(await page.locator(".legend").count()).toBe(0);
    await page.goto(`${service.url}/console/try?text=The+outage+cost+us`);
    await page.locator(".legend mark").first().waitFor();
  });

  it("marks the words that led to the analysis, and says which rule decided", async () => {
    const service = await serveConsole();
    await submit(service, COMPLAINT);
    const page = await open(service, "feedback/F-2");
    await page.getByText("The customer's segment is premium.").waitFor();
    expect(await page.locator("mark.sentiment-mark", { hasText: "furious" }).count()).toBe(1);
    expect(await page.locator("mark.category-mark", { hasText: "outage" }).count()).toBe(1);
  });

  it("shows what the customer has written back, and links a complaint to its own feedback", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, {});
    const { workflow } = service.application;
    const { response_id: answered = "" } = await workflow.getFeedback("F-1");
    const headers = { From: "mira.okafor@example.com", "In-Reply-To": answered, Subject: "Again" };
    await workflow.receiveMail(rawMail(headers, "The search has crashed, I am furious."));
    const page = await open(service, "feedback/F-1");
    const reply = page.locator(".card", { hasText: "Reply from the customer" });
    await reply.getByRole("link", { name: "feedback of its own" }).waitFor();
    expect(await reply.locator(".customer-text").innerText()).toBe("The search has crashed, I am furious.");
    await reply.getByRole("link", { name: "feedback of its own" }).click();
    await page.getByRole("heading", { name: "Again" }).waitFor();
  });

  it("shows an email rendered, in a frame without scripts, and as text", async () => {
    const service = await serveConsole();
    await submit(service, {});
    const page = await open(service, "feedback/F-1");
    const frame = page.frameLocator("iframe");
    await frame.getByRole("heading").waitFor();
    expect(await frame.getByRole("heading").evaluate((element) => (element as unknown as Styled).style.fontSize)).toBe(
      "24px",
    );
    expect(await page.locator("iframe").getAttribute("sandbox")).toBe("allow-same-origin");
    await page.getByRole("button", { name: "Text", exact: true }).click();
    await page.locator("pre.mail-text").getByText("Reference: F-1").waitFor();
  });
});
