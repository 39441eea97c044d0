import { describe, expect, it } from "vitest";
import { AWAY, chromiumPath, open, person, serveConsole, SKIPPED, submit, useBrowser } from "../../support/console.ts";

describe.skipIf(!chromiumPath)(`a change while a page is open ${SKIPPED}`, () => {
  useBrowser();

  it("appears in the inbox by itself", async () => {
    const service = await serveConsole();
    const page = await open(service, "");
    await page.getByText("No feedback yet").waitFor();
    await page.getByText("as it comes in. See how to send it.").waitFor();
    await submit(service, { subject: "First of all" });
    await page.getByText("First of all").waitFor();
    await submit(service, { feedback_id: "F-2", subject: "The second" });
    await page.getByText("The second").waitFor();
    expect(await page.locator(".row").count()).toBe(2);
  });

  it("appears in the other lists, which send requests only when something has changed", async () => {
    const service = await serveConsole();
    const context = await person();
    const [inbox, approvals, runs] = [
      await open(service, "", { context }),
      // An email that no longer waits gets a 404 there.
      await open(service, "approvals", { context, expected: /404/ }),
      await open(service, "runs", { context }),
    ];
    await inbox.getByText("No feedback yet").waitFor();
    await approvals.getByText("No emails waiting").waitFor();
    await runs.getByText("No runs yet").waitFor();
    const [id] = await submit(service, { subject: "First of all" });
    await inbox.getByText("First of all").waitFor();
    await approvals.locator(".mail-head").getByText("RE: First of all").waitFor();
    await runs.locator("tbody .badge", { hasText: "Needs approval" }).waitFor();
    const asked: string[] = [];
    for (const page of [inbox, approvals, runs]) page.on("request", (request) => asked.push(request.url()));
    const { workflow } = service.application;
    const { rendering } = (await workflow.getPendingResponse(id!))!;
    await workflow.approveResponse(id!, { rendering, by: "Ann" });
    await inbox.getByText("Replied").waitFor();
    await approvals.getByText("No emails waiting").waitFor();
    await runs.locator("tbody .badge", { hasText: "Completed" }).waitFor();
    // One run has changed a few times in quick succession.
    expect(asked.filter((url) => url.endsWith("/list_feedback")).length).toBeLessThan(6);
    expect(asked.filter((url) => url.includes("/runs?")).length).toBeLessThan(4);
  });

  it("appears in lists after a restart of the service, which they report and survive", async () => {
    const service = await serveConsole();
    await submit(service, { subject: "Before" });
    const page = await open(service, "", { expected: AWAY });
    await page.getByText("Before").waitFor();
    await service.stop();
    await page.getByRole("alert").getByText("The service can't be reached").waitFor();
    await submit(service, { feedback_id: "F-2", subject: "Meanwhile" });
    await service.start();
    await page.getByText("Meanwhile").waitFor();
    await page.getByRole("alert").waitFor({ state: "detached" });
    await submit(service, { feedback_id: "F-3", subject: "Afterwards" });
    await page.getByText("Afterwards").waitFor();
    expect(await page.locator(".row").count()).toBe(3);
  });

  it("is not requested while the service is down, apart from an occasional health check", async () => {
    const service = await serveConsole();
    const [id] = await submit(service, {});
    const page = await open(service, `runs/${id}`, { expected: AWAY });
    await page.locator(".span").first().waitFor();
    await service.stop();
    await page.getByRole("alert").getByText("The service can't be reached").waitFor();
    // Wait until pending requests have failed.
    await page.waitForTimeout(3000);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    const begin = performance.now();
    await page.waitForTimeout(9000);
    // On a busy machine, the wait takes longer.
    const seconds = (performance.now() - begin) / 1000;
    expect(new Set(asked)).toEqual(new Set(["/livez"]));
    expect(asked.length).toBeLessThan(seconds / 2);
    await service.start();
    await page.getByRole("alert").waitFor({ state: "detached" });
    const { workflow } = service.application;
    const { rendering } = (await workflow.getPendingResponse(id!))!;
    await workflow.approveResponse(id!, { rendering, by: "Ann" });
    await page.locator(".page-head").getByText("Completed").waitFor();
  });

  it("is not followed by a tab in the background, which catches up when it is shown again", async () => {
    const service = await serveConsole();
    const page = await open(service, "");
    await page.getByText("No feedback yet").waitFor();
    const show = (isHidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, "hidden", { configurable: true, value: ${isHidden} });
        document.dispatchEvent(new Event("visibilitychange"))`);
    const left = page.waitForEvent("requestfailed", (request) => request.url().includes("/runs/events"));
    await show(true);
    await left;
    await submit(service, { subject: "Meanwhile" });
    const asked = page.waitForRequest((request) => request.url().includes("/runs/events?after="));
    await show(false);
    await asked;
    await page.getByText("Meanwhile").waitFor();
    expect(await page.locator(".row").count()).toBe(1);
  });

  it("appears for people who may decide but see nothing else", async () => {
    const secret = "ann-0123456789abcdef";
    const service = await serveConsole({ httpTokens: `ann:approve:${secret}` });
    const context = await person();
    await context.request.post(`${service.url}/session`, { data: { token: secret }, headers: { origin: service.url } });
    const page = await open(service, "approvals", { context });
    await page.getByText("No emails waiting").waitFor();
    await submit(service, { subject: "First of all" });
    await page.locator(".mail-head").getByText("RE: First of all").waitFor();
    expect(await page.locator(".queue-item").count()).toBe(1);
  });

  it("is not missed if it happens while a page is being loaded", async () => {
    const service = await serveConsole();
    const [id] = await submit(service, {});
    const page = await open(service, "");
    await page.locator(".row").waitFor();
    // From here on, the page follows changes, and reloads nothing to do so.
    await submit(service, { feedback_id: "F-2", subject: "Second" });
    await page.locator(".row", { hasText: "Second" }).getByText("Needs approval").waitFor();
    const { workflow } = service.application;
    await page.route(
      "**/get_feedback",
      async (route) => {
        const response = await route.fetch();
        const { rendering } = (await workflow.getPendingResponse(id!))!;
        await workflow.approveResponse(id!, { rendering, by: "Ann" });
        await workflow.getWorkflowResult(id!);
        await route.fulfill({ response });
      },
      { times: 1 },
    );
    await page.locator(".row", { hasNotText: "Second" }).click();
    await page.locator(".page-head").getByText("Replied").waitFor();
    await page.getByText("Approved by").getByText("Ann").waitFor();
    expect(await page.getByRole("link", { name: "Decide" }).count()).toBe(0);
    expect(await page.getByText("Approved by").innerText()).toMatch(/^Approved by Ann, \d/);
  });

  it("is followed across a restart of the service, which the page reports and survives", async () => {
    const service = await serveConsole();
    const [id] = await submit(service, {});
    const page = await open(service, "feedback/F-1", { expected: AWAY });
    await page.locator(".span.person").waitFor();
    await service.stop();
    await page.getByRole("alert").getByText("The service can't be reached").waitFor();
    await service.start();
    await page.getByRole("alert").waitFor({ state: "detached" });
    const { workflow } = service.application;
    const { rendering } = (await workflow.getPendingResponse(id!))!;
    await workflow.approveResponse(id!, { rendering, by: "Ann" });
    await page.locator(".page-head").getByText("Replied").waitFor();
    await page.locator(".span", { hasText: "Response sent" }).waitFor();
    await page.getByText("Approved by").getByText("Ann").waitFor();
    expect(service.mails()).toHaveLength(1);
  });

  it("is not needed for the page to load its data once a service that was down at first is up", async () => {
    const service = await serveConsole();
    await submit(service, {});
    const page = await open(service, "", { expected: AWAY });
    await page.locator(".row").waitFor();
    await page.route("**/workflows/**", (route) => route.abort());
    await page.goto(`${service.url}/console/?sentiment=positive`);
    await page.getByText("The service can't be reached").first().waitFor();
    await page.unroute("**/workflows/**");
    await page.locator(".row").waitFor();
    expect(await page.getByText("The service can't be reached").count()).toBe(0);
  });
});
