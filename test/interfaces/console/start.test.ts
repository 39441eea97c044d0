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
import { createWorkflows } from "../../support/refund-workflow.ts";

describe.skipIf(!chromiumPath)(`what somebody sees first ${SKIPPED}`, () => {
  useBrowser();

  it.each(["light", "dark"] as const)(
    "is what the demo is and what to do, until they hide it, %s",
    async (colorScheme) => {
      const service = await serveConsole({}, { hasChat: true, isSample: true });
      await submit(service, {});
      const context = await person({ colorScheme });
      const page = await open(service, "", { context });
      const guide = page.getByRole("region", { name: "Try it with sample data" });
      await guide.waitFor();
      expect(await barriers(page)).toEqual([]);
      for (const [link, title] of [
        ["chat", "Chat"],
        ["approvals", "Approvals"],
        ["charts", "Charts"],
        ["graph", "Graph"],
      ] as const) {
        await guide.getByRole("link", { name: link }).click();
        await page.getByRole("heading", { level: 1, name: title }).waitFor();
        await page.goBack();
      }
      await page.getByLabel("Sentiment").selectOption("negative");
      await guide.waitFor({ state: "detached" });
      await page.goBack();
      await guide.getByRole("button", { name: "Hide this introduction" }).click();
      await guide.waitFor({ state: "detached" });
      await page.reload();
      await page.locator(".row").waitFor();
      expect(await guide.count()).toBe(0);
    },
  );

  it("is nothing of a demo on a service with data of one's own", async () => {
    const service = await serveConsole();
    await submit(service, {});
    const page = await open(service, "");
    await page.locator(".row").waitFor();
    expect(await page.locator(".guide").count()).toBe(0);
    await page.getByRole("button", { name: /Sign out/ }).click();
    await page.getByLabel("Token").waitFor();
    expect(await page.getByText("the demo").count()).toBe(0);
  });

  it("is the runs, where workflows of one's own are served and no feedback has come in yet", async () => {
    const service = await serveConsole({}, { createWorkflows });
    const context = await person();
    const page = await open(service, "", { context });
    await page.getByText("What your other workflows do is under").waitFor();
    await page.goto(service.url);
    await page.getByText("No runs yet").waitFor();
    expect(new URL(page.url()).pathname).toBe("/console/runs");
    await submit(service, {});
    await page.goto(service.url);
    await page.locator(".row").waitFor();
    expect(new URL(page.url()).pathname).toBe("/console/");
  });

  it("is also on the page where one signs in to the demo", async () => {
    const service = await serveConsole({}, { isSample: true });
    const page = await (await person()).newPage();
    await page.goto(service.url);
    await page.getByLabel("Token").waitFor();
    expect(await page.locator("form").innerText()).toContain("This is the demo: invented customers write");
  });
});
