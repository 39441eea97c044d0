import { describe, expect, it, onTestFinished } from "vitest";
import { chromiumPath, open, serveConsole, SKIPPED, submit, useBrowser } from "../../support/console.ts";
import { reply, startOpenAiServer } from "../../support/openai-server.ts";

const SCRIPTS = `<script>document.title = "owned"</script><img src="https://evil.example/pixel.png" onerror="document.title='owned'"><svg onload="document.title='owned'"></svg>`;
const LINKS =
  "[click](javascript:document.title='owned') ![x](https://evil.example/y.png) <a href='https://evil.example'>here</a>";
const RIGHT_TO_LEFT = "\u202Egnp.lleh\u202C مرحبا، هذا رائع 👩‍👩‍👧‍👦 \u2066isolated\u2069";

describe.skipIf(!chromiumPath)(`strangers' texts ${SKIPPED}`, () => {
  useBrowser();

  it.each<[string, Record<string, unknown>]>([
    ["scripts and pictures", { subject: SCRIPTS.slice(0, 400), feedback_text: SCRIPTS }],
    ["links", { subject: LINKS.slice(0, 300), feedback_text: LINKS }],
    ["another direction of writing", { subject: RIGHT_TO_LEFT, feedback_text: RIGHT_TO_LEFT }],
    ["a wall of text without a blank", { subject: "W".repeat(500), feedback_text: "W".repeat(20_000) }],
    [
      "templates and patterns",
      { subject: "${alert(1)} {{x}} %s .*(", feedback_text: "awful ${alert(1)} {{constructor}} .*( [a-z]+ \\" },
    ],
  ])("are shown unchanged: %s", async (_, texts) => {
    const service = await serveConsole();
    const [id] = await submit(service, { feedback_id: "F-1<b>/../?x=1#y", ...texts });
    const page = await open(service, "");
    for (const path of ["", `feedback/${encodeURIComponent("F-1<b>/../?x=1#y")}`, `approvals/${id}`, `runs/${id}`]) {
      await page.goto(`${service.url}/console/${path}`);
      await page
        .getByText(
          String(texts["subject"])
            .replaceAll(/[\u202A-\u202E\u2066-\u2069]/g, "\uFFFD")
            .slice(0, 12),
        )
        .or(page.locator(".span"))
        .first()
        .waitFor();
      expect(await page.title()).toMatch(/Console$/);
      expect(
        await page.locator("main script, main img, main svg[onload], a[href^='javascript'], a[href*='evil']").count(),
      ).toBe(0);
      expect({
        path,
        over: await page.evaluate("Math.max(0, document.documentElement.scrollWidth - innerWidth)"),
      }).toEqual({ path, over: 0 });
    }
  });

  it("have characters that reverse the reading direction replaced by a visible sign", async () => {
    const model = await startOpenAiServer([reply("It is about \u202Egnp.lleh\u202C.")]);
    onTestFinished(() => model.close());
    const service = await serveConsole({ openaiBaseUrl: model.url, openaiModel: "small" });
    const [id] = await submit(service, { subject: RIGHT_TO_LEFT, feedback_text: `I love ${RIGHT_TO_LEFT}` });
    const page = await open(service, "");
    const shown = page.getByText("\uFFFDgnp.lleh\uFFFD مرحبا");
    const text = page.locator(".customer-text", { hasText: "I love \uFFFDgnp.lleh\uFFFD مرحبا" });
    for (const path of ["", "feedback/F-1", "approvals", `approvals/${id}`]) {
      await page.goto(`${service.url}/console/${path}`);
      await shown.first().waitFor();
      if (path !== "") await text.waitFor();
      expect({ path, turned: await page.getByText("\u202Egnp").count() }).toEqual({ path, turned: 0 });
    }
    await page.getByRole("button", { name: "Text", exact: true }).click();
    await page.locator(".mail-text").waitFor();
    expect(await page.locator(".mail-text").textContent()).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
    await page.goto(`${service.url}/console/chat`);
    await page.getByLabel("Message", { exact: true }).fill("What is it about?");
    await page.keyboard.press("Enter");
    await page.getByText("It is about \uFFFDgnp.lleh\uFFFD.").waitFor();
  });

  it("stay text in an email's frame, and no link in it works", async () => {
    const service = await serveConsole();
    const [id] = await submit(service, {});
    const page = await open(service, "");
    const pending = (await service.application.workflow.getPendingResponse(id!))!;
    const html = `<style>@import url(https://evil.example/x.css); p, b { background: u\\72l(https://evil.example/z.png) } @media all { i { background-image: url(https://evil.example/v.png) } } @font-face { font-family: x; src: url(https://evil.example/f.woff) }</style><p style="background: url(https://evil.example/w.png)">Hello <b>you</b> <i style="font-family: x">there</i></p>${SCRIPTS}<iframe src="https://evil.example"></iframe><form action="https://evil.example"><button>Go</button></form><a href="https://evil.example" target="_top">link</a><meta http-equiv="refresh" content="0;url=https://evil.example">`;
    await page.route(
      ({ pathname }) => pathname === `/approvals/${id}`,
      (route) => route.fulfill({ json: { ...pending, html } }),
    );
    // The browser reports what the policy has blocked. The test checks that nothing was requested.
    page.removeAllListeners("console");
    await page.goto(`${service.url}/console/approvals/${id}`);
    const frame = page.frameLocator("iframe");
    await frame.getByText("Hello").waitFor();
    expect(await frame.locator("script, img, svg, iframe, form, meta, [href], [onerror], [onload]").count()).toBe(0);
    expect(await page.title()).toMatch(/Console$/);
  });
});
