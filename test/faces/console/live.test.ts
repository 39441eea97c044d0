import { describe, expect, it } from "vitest";
import { chromiumPath, open, serveConsole, SKIPPED, submit, useBrowser } from "../../support/console.ts";

const AWAY = /Failed to load resource|ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY/;

describe.skipIf(!chromiumPath)(`what happens while a page is open ${SKIPPED}`, () => {
  useBrowser();

  it("turns up in the inbox by itself", async () => {
    const service = await serveConsole();
    const page = await open(service, "");
    await page.getByText("No feedback yet").waitFor();
    await submit(service, { subject: "First of all" });
    await page.getByText("First of all").waitFor();
    await submit(service, { feedback_id: "F-2", subject: "The second" });
    await page.getByText("The second").waitFor();
    expect(await page.locator(".row").count()).toBe(2);
  });

  it("is followed across a restart of the service, which the page says and survives", async () => {
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

  it("begins with what is there when the service was away at first", async () => {
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
