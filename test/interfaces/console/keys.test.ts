import { describe, expect, it } from "vitest";
import { barriers, chromiumPath, open, serveConsole, SKIPPED, submit, useBrowser } from "../../support/console.ts";

describe.skipIf(!chromiumPath)(`keys ${SKIPPED}`, () => {
  useBrowser();

  it("open every page by its position in the navigation, but not while somebody is typing", async () => {
    const page = await open(await serveConsole({}, { hasChat: true }), "");
    // The pages depend on the token's scopes, which the console has to request first.
    await page.locator(".side li .side-text").nth(6).waitFor();
    const titles = await page.locator(".side li .side-text").allTextContents();
    expect(titles).toHaveLength(7);
    for (const [index, title] of [...titles.entries()].toReversed()) {
      // Leave the field for messages to the agent.
      await page.locator("h1").click();
      await page.keyboard.press(String(index + 1));
      await page.locator("h1", { hasText: title }).waitFor();
      expect(await page.locator(".side [aria-current]").textContent()).toContain(title);
    }
    await page.getByLabel("Search id").fill("7");
    await page.getByLabel("Search id").press("3");
    await page.waitForURL(/search=73/);
    expect(await page.locator("h1").textContent()).toBe("Inbox");
  });

  it("are listed in a dialog, and do nothing while it is open", async () => {
    const service = await serveConsole();
    await submit(service, {});
    const page = await open(service, "approvals");
    await page.locator(".mail-head").waitFor();
    await page.keyboard.press("?");
    const list = page.getByRole("dialog", { name: "Keys" });
    await list.getByText("approve your version").waitFor();
    expect(await barriers(page)).toEqual([]);
    for (const key of ["a", "r", "1"]) await page.keyboard.press(key);
    expect(await page.locator("form").count()).toBe(0);
    await page.keyboard.press("Escape");
    await list.waitFor({ state: "hidden" });
    expect(await page.locator("h1").textContent()).toContain("Approvals");
    await page.getByRole("button", { name: "Keys" }).click();
    await list.getByRole("button", { name: "Close" }).click();
    await list.waitFor({ state: "hidden" });
    expect((await service.application.workflow.listWorkflows({ status: "waiting_for_approval" })).length).toBe(1);
  });
});
