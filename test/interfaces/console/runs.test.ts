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
import { createWorkflows } from "../../support/refund-workflow.ts";

/** The name and kind of each span, and where it begins and ends on the time line, in percent. */
async function spans(page: Page): Promise<{ name: string; kind: string; from: number; to: number }[]> {
  return page.locator(".span").evaluateAll((rows) =>
    rows.map((row) => {
      const bar = row.querySelector(".span-bar") as unknown as { style: { left: string; width: string } };
      const from = Number.parseFloat(bar.style.left);
      const name = row.querySelector(".span-label")!.textContent.trim();
      return { name, kind: row.className.replace("span ", ""), from, to: from + Number.parseFloat(bar.style.width) };
    }),
  );
}

const at = (clock: string): string => `2026-11-29T${clock}Z`;

describe.skipIf(!chromiumPath)(`runs ${SKIPPED}`, () => {
  useBrowser();

  it("link to their feedback, and show in red where they failed, even outside a step", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, { customer_id: "C-1016" });
    const [run] = await service.application.workflow.listWorkflows();
    const page = await open(service, `runs/${run!.workflow_id}`);
    const failed = page.locator(".span.failed");
    await failed.getByText("no usable email address").waitFor();
    expect(await failed.locator(".span-label").textContent()).toBe("Failed");
    expect(await page.locator(".span").last().getAttribute("class")).toBe("span failed");
    await page.getByRole("link", { name: "See the feedback" }).click();
    await page.getByRole("heading", { name: "Search" }).waitFor();
    expect(page.url()).toMatch(/\/feedback\/F-1$/);
  });

  it("are drawn on a time line, with the gaps in which nothing happened", async () => {
    const service = await serveConsole();
    const id = "workflow-1";
    const run = { workflow_id: id, workflow: "customer-feedback", key: "F-1", status: "failed", error: "No address." };
    const times = { start_time: at("12:00:00.000"), end_time: at("12:19:00.000") };
    const status = "completed";
    const history = [
      { status, step: "customer_data_retrieved", start_time: at("12:00:04.000"), end_time: at("12:00:04.060") },
      { status, step: "feedback_stored", start_time: at("12:00:04.070"), end_time: at("12:00:04.090") },
    ];
    const failure = { id: 9, type: "failed", time: times.end_time, error: run.error };
    const context = await person();
    await context.route(`${service.url}/runs/${id}`, (route) => route.fulfill({ json: { ...run, ...times } }));
    await context.route(`${service.url}/runs/${id}/history`, (route) => route.fulfill({ json: { history } }));
    await context.route(`${service.url}/runs/${id}/events`, (route) =>
      route.fulfill({
        contentType: "text/event-stream",
        body: `event: failed\nid: 9\ndata: ${JSON.stringify(failure)}\n\n`,
      }),
    );
    const page = await open(service, `runs/${id}`, { context });
    await page.locator(".span.failed").waitFor();
    const drawn = await spans(page);
    expect(drawn.map(({ name, kind }) => [name, kind])).toEqual([
      ["Queue", "queue"],
      ["Customer data retrieved", "step"],
      ["Feedback stored", "step"],
      ["Between steps", "idle"],
      ["Failed", "failed"],
    ]);
    expect(drawn[0]!.from).toBe(0);
    expect(drawn.at(-1)!.to).toBeCloseTo(100);
    // Each span begins about where the previous one ended, and is wide enough.
    for (const [index, { from, to }] of drawn.slice(0, -1).entries()) {
      expect(to - from).toBeGreaterThan(5);
      expect(drawn[index + 1]!.from - to).toBeGreaterThan(-1);
      expect(drawn[index + 1]!.from - to).toBeLessThan(4);
    }
    // All rows share the same time line.
    const lefts = await page
      .locator(".span-track")
      .evaluateAll((all) =>
        all.map((one) => (one as unknown as { getBoundingClientRect: () => { x: number } }).getBoundingClientRect().x),
      );
    expect(new Set(lefts).size).toBe(1);
    // The total time, as in the head of the page, and an axis that starts at 0.
    await page.getByText("took 19 min").waitFor();
    await page.getByText("19 min in all").waitFor();
    const axis = await page.locator(".waterfall-axis .span-track > span").allTextContents();
    expect(axis[0]).toBe("0");
    expect(axis).toContain("4.0 s");
    expect(await barriers(page)).toEqual([]);
  });

  it("can be found by their status, their workflow, and their own id or the id of their subject", async () => {
    const service = await serveConsole({ approval: false }, { createWorkflows });
    await submit(service, {}, { feedback_id: "F-2", customer_id: "C-9999" });
    const [, first] = await service.application.workflow.listWorkflows();
    await service.application.service.workflows.get("refund")!.run({ refund_id: "R-1" });
    const page = await open(service, "runs");
    const keys = () => page.locator("tbody a").allTextContents();
    const search = async (text: string): Promise<void> => {
      await page.getByRole("searchbox").fill(text);
      await page.keyboard.press("Enter");
    };
    await expect.poll(keys).toEqual(["R-1", "F-2", "F-1"]);
    await page.getByLabel("Status").selectOption("failed");
    await expect.poll(keys).toEqual(["F-2"]);
    expect(new URL(page.url()).search).toBe("?status=failed");
    await page.getByLabel("Status").selectOption("");
    await page.getByLabel("Workflow").selectOption("refund");
    await expect.poll(keys).toEqual(["R-1"]);
    await page.goBack();
    await expect.poll(keys).toEqual(["R-1", "F-2", "F-1"]);
    await search("F-2");
    await expect.poll(keys).toEqual(["F-2"]);
    expect(new URL(page.url()).search).toBe("?key=F-2");
    await search(first!.workflow_id);
    await expect.poll(keys).toEqual(["F-1"]);
    await page.reload();
    await expect.poll(keys).toEqual(["F-1"]);
    await search("F-77");
    await page.getByText("No runs here").waitFor();
    expect(await barriers(page)).toEqual([]);
  });
});
