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

describe.skipIf(!chromiumPath)(`the start page ${SKIPPED}`, () => {
  useBrowser();

  it.each(["light", "dark"] as const)(
    "explains the demo and suggests what to do, until somebody hides that, %s",
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

  it("doesn't mention a demo on a service with its own data", async () => {
    const service = await serveConsole();
    await submit(service, {});
    const page = await open(service, "");
    await page.locator(".row").waitFor();
    expect(await page.locator(".guide").count()).toBe(0);
    await page.getByRole("button", { name: /Sign out/ }).click();
    await page.getByLabel("Token").waitFor();
    expect(await page.getByText("the demo").count()).toBe(0);
  });

  it("lists the runs if a service has workflows of its own and no feedback yet", async () => {
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

  it("explains the demo even before signing in", async () => {
    const service = await serveConsole({}, { isSample: true });
    const page = await (await person()).newPage();
    await page.goto(service.url);
    await page.getByLabel("Token").waitFor();
    expect(await page.locator("form").innerText()).toContain("This is the demo: invented customers write");
  });
});
