import type { Page } from "playwright-core";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  barriers,
  chromiumPath,
  open,
  person,
  serveConsole,
  SKIPPED,
  useBrowser,
  type ConsoleService,
} from "../../support/console.ts";
import { reply, startOpenAiServer, status, toolCall, toolCalls, type ScriptStep } from "../../support/openai-server.ts";

const SECRETS = { ann: "ann-0123456789abcdef", wes: "wes-0123456789abcdef", rea: "rea-0123456789abcdef" };
const TOKENS = [
  `ann:feedback:read+feedback:write+approve:${SECRETS.ann}`,
  `wes:feedback:read+feedback:write:${SECRETS.wes}`,
  `rea:feedback:read:${SECRETS.rea}`,
].join(",");

const feedback = (feedback_id: string) => ({
  feedback_id,
  customer_id: "C-1001",
  subject: "Search",
  feedback_text: "I love the new search, it is fast.",
});
const PROCESS = toolCall("process_customer_feedback", feedback("F-1"));

/** A console whose agent follows the script. */
async function start(script: ScriptStep[], changes: Parameters<typeof serveConsole>[0] = {}): Promise<ConsoleService> {
  const model = await startOpenAiServer(script);
  onTestFinished(() => model.close());
  return serveConsole({ openaiBaseUrl: model.url, openaiModel: "small", ...changes });
}

async function signedIn(service: ConsoleService, who: keyof typeof SECRETS) {
  const context = await person();
  await context.request.post(`${service.url}/session`, {
    data: { token: SECRETS[who] },
    headers: { origin: service.url },
  });
  return context;
}

async function say(page: Page, message: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(message);
  await page.keyboard.press("Enter");
}

const card = (page: Page) => page.getByRole("region", { name: "Emails that wait for you" });

describe.skipIf(!chromiumPath)(`the chat ${SKIPPED}`, () => {
  useBrowser();

  it("lists only the person's own conversations", async () => {
    const service = await start([reply("One."), reply("Two."), reply("Three.")], { httpTokens: TOKENS });
    const ann = await open(service, "chat", { context: await signedIn(service, "ann") });
    const listed = (page: Page) => page.locator(".chat-side .earlier-link bdi");
    await say(ann, "First, about\n  the search");
    await ann.locator(".rich", { hasText: "One." }).waitFor();
    await ann.getByRole("button", { name: "New conversation" }).click();
    await say(ann, "Second");
    await ann.locator(".rich", { hasText: "Two." }).waitFor();
    await expect.poll(() => listed(ann).allTextContents()).toEqual(["Second", "First, about the search"]);
    const first = ann.locator(".chat-side a", { hasText: "First" });
    await first.click();
    await ann.locator(".rich", { hasText: "One." }).waitFor();
    expect(await first.getAttribute("aria-current")).toBe("page");
    await ann.goBack();
    await ann.locator(".rich", { hasText: "Two." }).waitFor();

    const wes = await open(service, "chat", { context: await signedIn(service, "wes") });
    await say(wes, "Mine");
    await wes.locator(".rich", { hasText: "Three." }).waitFor();
    await expect.poll(() => listed(wes).allTextContents()).toEqual(["Mine"]);

    // If there is no space beside the conversation, they are listed below the start of a new one.
    await wes.setViewportSize({ width: 390, height: 800 });
    expect(await wes.locator(".earlier-link:visible").count()).toBe(0);
    await wes.getByRole("button", { name: "New conversation" }).click();
    await wes.locator(".earlier-link:visible", { hasText: "Mine" }).click();
    await wes.locator(".rich", { hasText: "Three." }).waitFor();
    expect(await barriers(wes)).toEqual([]);
  });

  it("lists more conversations on request if there are many", async () => {
    const service = await start(Array.from({ length: 51 }, () => reply("Yes.")));
    const headers = { "content-type": "application/json", authorization: `Bearer ${service.token}` };
    for (let n = 1; n <= 51; n += 1) {
      const body = JSON.stringify({ message: `Question ${n}` });
      await (await fetch(`${service.url}/chat`, { method: "POST", headers, body })).text();
    }
    const page = await open(service, "chat");
    const listed = page.locator(".chat-side .earlier-link");
    await expect.poll(() => listed.count()).toBe(50);
    await page.locator(".chat-side").getByRole("button", { name: "Show more" }).click();
    await expect.poll(() => listed.count()).toBe(51);
    expect(await listed.last().locator("bdi").textContent()).toBe("Question 1");
    expect(await page.getByRole("button", { name: "Show more" }).count()).toBe(0);
  });

  it("shows what the agent says and does, and keeps the conversation at its address", async () => {
    const service = await start(
      [toolCall("analyze_feedback_sentiment", { text: "I love it" }), reply("It is **positive**:\n- `love`")],
      { approval: false },
    );
    const page = await open(service, "chat");
    await page.getByText("What should the agent do?").waitFor();
    await page.getByText("small answers.").waitFor();
    await say(page, "What is the sentiment of: I love it");
    const check = async (): Promise<void> => {
      await page.locator(".rich b", { hasText: "positive" }).waitFor();
      expect(await page.locator(".rich li code").innerText()).toBe("love");
      expect(await page.locator(".said").innerText()).toBe("What is the sentiment of: I love it");
      await page
        .locator(".call", { hasText: "Analyse sentiment" })
        .locator(".muted", { hasText: "positive" })
        .waitFor();
    };
    await check();
    await page.waitForURL(/\/console\/chat\/[0-9a-f-]{36}$/);
    await page.reload();
    await check();
    await page.getByText("Analyse sentiment").click();
    await page.getByText('"sentiment": "positive"').waitFor();
  });

  it("records the person's decision in their name, and then the agent continues", async () => {
    const service = await start([PROCESS, reply("The email is out.")], { httpTokens: TOKENS });
    const page = await open(service, "chat", { context: await signedIn(service, "ann") });
    await say(page, "Process F-1");
    await card(page).getByText("RE: Search").or(card(page).getByText("RE: your feedback")).first().waitFor();
    expect(service.mails()).toEqual([]);
    await card(page).getByRole("button", { name: "Approve" }).click();
    await page.getByText("The email is out.").first().waitFor();
    await page.locator(".call").getByText("Replied").waitFor();
    expect(service.mails()).toHaveLength(1);
    await page.goto(`${service.url}/console/feedback/F-1`);
    await page.getByText("ann", { exact: true }).first().waitFor();
  });

  it("shows the card again after a reload, and accepts an edited text", async () => {
    const service = await start([PROCESS, reply("Sent in your words.")]);
    const page = await open(service, "chat");
    await say(page, "Process F-1");
    await card(page).getByRole("button", { name: "Edit" }).waitFor();
    await page.reload();
    await card(page).getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("Text", { exact: true }).fill("Thank you, from me.");
    await page.getByRole("button", { name: /Approve this version/ }).click();
    await page.getByText("Sent in your words.").first().waitFor();
    expect(service.mails()[0]).toContain("Thank you, from me.");
  });

  it("shows who decided what on each email, even when the conversation is opened again", async () => {
    const service = await start([PROCESS, reply("The email is out.")], {
      httpTokens: TOKENS,
    });
    const page = await open(service, "chat", { context: await signedIn(service, "ann") });
    await say(page, "Process F-1");
    await card(page).getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("Subject").fill("About your note");
    await page.getByRole("button", { name: /Approve this version/ }).click();
    const first = page.locator(".turn", { has: page.locator(".call a[href$='/F-1']") }).locator(".call-decision");
    const check = async (): Promise<void> => {
      await page.locator(".rich", { hasText: "The email is out." }).waitFor();
      expect(await first.innerText()).toMatch(/^Edited by ann, \d+ .*: About your note$/);
    };
    await check();
    await page.reload();
    await check();
    expect(await barriers(page)).toEqual([]);
  });

  it("shows what others have decided on an email that was left waiting", async () => {
    const service = await start([PROCESS, reply("It waits.")]);
    const page = await open(service, "chat");
    await say(page, "Process F-1");
    await card(page).getByRole("button", { name: "Approve" }).waitFor();
    await card(page).getByRole("button", { name: "Continue" }).click();
    await page.locator(".rich", { hasText: "It waits." }).waitFor();
    await page.locator(".call").getByText("Needs approval").waitFor();
    const { workflow } = service.application;
    const [run] = await workflow.listWorkflows();
    const { rendering } = (await workflow.getPendingResponse(run!.workflow_id))!;
    await workflow.rejectResponse(run!.workflow_id, { rendering, by: "Ben", reason: "She has called." });
    const check = async (): Promise<void> => {
      await page.locator(".call").getByText("Not sent").waitFor();
      const line = await page.locator(".call-decision").innerText();
      expect(line).toMatch(/^Rejected by Ben, \d+ .*: RE: .*\nReason: She has called\.$/);
    };
    await check();
    await page.reload();
    await check();
  });

  it("can continue on one page after the conversation was continued on another", async () => {
    const service = await start([PROCESS, reply("The email is out.")]);
    const page = await open(service, "chat");
    await say(page, "Process F-1");
    await card(page).getByRole("button", { name: "Approve" }).waitFor();
    const other = await open(service, page.url().split("/console/")[1]!, { expected: /404/ });
    await card(other).getByRole("button", { name: "Approve" }).waitFor();
    await card(page).getByRole("button", { name: "Approve" }).click();
    await page.locator(".rich", { hasText: "The email is out." }).waitFor();
    await card(other).getByText("That decision stands").waitFor();
    await card(other).getByRole("button", { name: "Continue" }).click();
    await other.locator(".rich", { hasText: "The email is out." }).waitFor();
    expect(await other.getByRole("alert").count()).toBe(0);
    expect(await other.locator(".call-decision").innerText()).toContain("Approved by local");
  });

  it("shows the card at once on a phone, however much was said before", async () => {
    const service = await start([reply("A long answer.\n\n".repeat(40)), PROCESS]);
    const context = await person({ viewport: { width: 390, height: 844 } });
    const page = await open(service, "chat", { context });
    await say(page, "Tell me all");
    await page.getByText("A long answer.").last().waitFor();
    await page.getByRole("button", { name: "Send" }).waitFor();
    await say(page, "Process F-1");
    const approve = card(page).getByRole("button", { name: "Approve" });
    // At its middle, the card itself is visible, not the input or the navigation bar.
    const isInReach = async () => {
      const { x, y, width, height } = (await approve.boundingBox())!;
      const drawn = `document.elementFromPoint(${x + width / 2}, ${y + height / 2})`;
      return page.evaluate(`${drawn}?.closest("button")?.textContent.includes("Approve") ?? false`);
    };
    await approve.waitFor();
    await expect.poll(isInReach).toBe(true);
    await page.goto(page.url());
    await approve.waitFor();
    await page.frameLocator("iframe").getByRole("heading").waitFor();
    await expect.poll(isInReach).toBe(true);
  });

  it("waits for decisions on all emails of a turn, and sends none that was rejected", async () => {
    const calls = ["F-1", "F-2"].map((id): [string, unknown] => ["process_customer_feedback", feedback(id)]);
    const service = await start([toolCalls(...calls), reply("Both are settled.")]);
    const page = await open(service, "chat");
    await say(page, "Process both");
    const mails = page.locator(".waiting-mail");
    await expect.poll(() => mails.getByRole("button", { name: "Reject" }).count()).toBe(2);
    const first = mails.filter({ has: page.getByRole("link", { name: "F-1", exact: true }) });
    await first.getByRole("button", { name: "Reject" }).click();
    await first.getByRole("button", { name: /Reject: send no email/ }).click();
    await first.waitFor({ state: "detached" });
    expect(await page.getByText("Both are settled.").count()).toBe(0);
    await mails.getByRole("button", { name: "Approve" }).click();
    await page.getByText("Both are settled.").first().waitFor();
    expect(service.mails()).toHaveLength(1);
  });

  it("says who decided first, and continues with their decision", async () => {
    const service = await start([PROCESS, reply("Somebody has rejected it.")]);
    const page = await open(service, "chat", { expected: /404|409/ });
    await say(page, "Process F-1");
    await card(page).getByRole("button", { name: "Approve" }).waitFor();
    const { workflow } = service.application;
    const [run] = await workflow.listWorkflows();
    const { rendering } = (await workflow.getPendingResponse(run!.workflow_id))!;
    await workflow.rejectResponse(run!.workflow_id, { rendering, by: "Ben" });
    await card(page).getByText("Ben").waitFor();
    expect(await card(page).getByRole("button", { name: "Approve" }).isDisabled()).toBe(true);
    await card(page).getByRole("button", { name: "Continue" }).click();
    await page.getByText("Somebody has rejected it.").first().waitFor();
    expect(service.mails()).toEqual([]);
  });

  it("shows no email to people who may not decide", async () => {
    const service = await start([PROCESS, reply("It waits for somebody.")], { httpTokens: TOKENS });
    const page = await open(service, "chat", { context: await signedIn(service, "wes") });
    await say(page, "Process F-1");
    await page.getByText("It waits for somebody.").first().waitFor();
    await page.locator(".call").getByText("Needs approval").waitFor();
    expect(await card(page).count()).toBe(0);
  });

  it("is not available to people who may only read", async () => {
    const service = await start([], { httpTokens: TOKENS });
    const page = await open(service, "chat", { context: await signedIn(service, "rea") });
    await page.getByText("You can't talk to the agent here").waitFor();
    expect(await page.getByLabel("Message", { exact: true }).count()).toBe(0);
  });

  it("says what to configure if there is no model", async () => {
    const page = await open(await serveConsole(), "chat");
    await page.getByText("No model is set").waitFor();
    const settings = await page.locator(".settings dt").allInnerTexts();
    expect(settings).toEqual(["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"]);
  });

  it("says so if the offline demo answers, and works with it", async () => {
    const service = await serveConsole({}, { hasChat: true });
    const page = await open(service, "chat");
    await page.getByText("The offline demo model answers").waitFor();
    // It is centred as long as there is no list of conversations beside it.
    const middle = async (selector: string): Promise<number> => {
      const { x, width } = (await page.locator(selector).boundingBox())!;
      return x + width / 2;
    };
    expect(Math.abs((await middle(".chat")) - (await middle(".chat-columns")))).toBeLessThan(2);
    await page.getByRole("button", { name: /third outage/ }).click();
    await card(page).getByRole("link", { name: "this feedback" }).waitFor();
    expect(await card(page).getByText("auto-").count()).toBe(0);
    const listed = page.locator(".chat-side .earlier-link > bdi");
    await expect.poll(() => listed.last().innerText()).toContain("third outage");
    // Many conversations begin alike, so more than one line is shown.
    expect((await listed.last().boundingBox())!.height).toBeGreaterThan(30);
    await card(page).getByRole("button", { name: "Approve" }).click();
    await page.getByText("the customer was told by email").first().waitFor();
    expect(service.mails()).toHaveLength(1);
  });

  it("says what went wrong, and can be asked again", async () => {
    const service = await start([status(402), reply("Here I am.")]);
    const page = await open(service, "chat");
    await say(page, "Hello?");
    await page.getByRole("alert").getByText("credit").waitFor();
    await say(page, "Hello again?");
    await page.getByText("Here I am.").first().waitFor();
    expect(await page.locator(".said").allInnerTexts()).toEqual(["Hello?", "Hello again?"]);
  });

  it("says so if an answer ends before it is complete", async () => {
    const page = await open(await start([]), "chat");
    const [type, body] = ["text/event-stream", 'event: token\ndata: {"text":"It is"}\n\n'];
    // Only for the question: the page may still be requesting the model's name.
    await page.route("**/chat", (route) =>
      route.request().method() === "POST" ? route.fulfill({ contentType: type, body }) : route.fallback(),
    );
    await say(page, "Hello?");
    await page.getByRole("alert").getByText("The connection was lost").waitFor();
    expect(await page.locator(".rich").allInnerTexts()).toEqual(["It is"]);
  });

  it("is still there after a visit to another page, and starts a new conversation on request", async () => {
    const service = await start([reply("I am still here."), reply("A new one.")]);
    const page = await open(service, "chat");
    await say(page, "Hello?");
    await page.getByText("I am still here.").first().waitFor();
    await page.getByRole("link", { name: "Inbox" }).click();
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    await page.getByRole("link", { name: "Chat" }).click();
    await page.getByText("I am still here.").first().waitFor();
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.getByText("What should the agent do?").waitFor();
    await page.goBack();
    await page.getByText("I am still here.").first().waitFor();
    expect(await page.locator(".said").allInnerTexts()).toEqual(["Hello?"]);
  });

  it("deletes the open conversation once the person confirms that", async () => {
    const service = await start([reply("One."), reply("Two.")], { httpTokens: TOKENS });
    const page = await open(service, "chat", { context: await signedIn(service, "ann"), expected: /404/ });
    const listed = page.locator(".chat-side .earlier-link bdi");
    await say(page, "First");
    await page.locator(".rich", { hasText: "One." }).waitFor();
    const address = page.url();
    await page.getByRole("button", { name: "New conversation" }).click();
    await say(page, "Second");
    await page.locator(".rich", { hasText: "Two." }).waitFor();
    await page.locator(".chat-side a", { hasText: "First" }).click();
    await page.locator(".rich", { hasText: "One." }).waitFor();
    await page.getByRole("button", { name: "Delete conversation" }).click();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "No" }).click();
    await page.getByRole("button", { name: "Delete conversation" }).click();
    await page.getByRole("button", { name: "Yes, delete" }).click();
    await page.getByText("What should the agent do?").waitFor();
    await expect.poll(() => listed.allTextContents()).toEqual(["Second"]);
    await page.goto(address);
    await page.getByText("There is nothing here").waitFor();
  });

  it("shows nothing of a conversation to the next person who signs in", async () => {
    const service = await start([reply("A secret of Ann's.")], { httpTokens: TOKENS });
    const page = await open(service, "chat", { context: await signedIn(service, "ann"), expected: /404/ });
    await say(page, "Hello?");
    await page.getByText("A secret of Ann's.").first().waitFor();
    await page.getByRole("button", { name: /Sign out/ }).click();
    await page.getByLabel("Token").fill(SECRETS.wes);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Chat" }).click();
    await page
      .getByText(/There is nothing here|What should the agent do/)
      .first()
      .waitFor();
    expect(await page.getByText("A secret of Ann's.").count()).toBe(0);
  });

  it.each(["light", "dark"] as const)("has no accessibility barriers, %s", async (colorScheme) => {
    const service = await start([PROCESS, reply("# Done\n1. **Sent**\n\n```\ncode\n```")]);
    for (const viewport of [
      { width: 1280, height: 800 },
      { width: 390, height: 844 },
    ]) {
      const page = await open(service, "chat", { context: await person({ colorScheme, viewport }) });
      await page.getByText("What should the agent do?").waitFor();
      expect(await barriers(page)).toEqual([]);
      await page.close();
    }
    const page = await open(service, "chat", { context: await person({ colorScheme }) });
    await say(page, "Process F-1");
    await card(page).getByRole("button", { name: "Edit" }).click();
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await card(page).getByRole("button", { name: "Approve" }).click();
    await page.locator(".rich-code", { hasText: "code" }).waitFor();
    await page.locator(".call summary").click();
    await page.locator(".toast").waitFor({ state: "detached" });
    expect(await barriers(page)).toEqual([]);
  });

  it("creates no link, picture or script from a stranger's text in the agent's messages, calls and results", async () => {
    const hostile =
      "[click](https://evil.example/?q=1) ![x](https://evil.example/y.png) <img src=https://evil.example/z onerror=\"document.title='owned'\"> <script>document.title='owned'</script> **[b](javascript:alert(1))** `![c](https://evil.example)` https://evil.example/bare\n- ![l](https://evil.example/l.png)\n# <svg onload=\"document.title='owned'\">\n\u202Egnp.lleh";
    const args = { ...feedback("F-1"), subject: hostile.slice(0, 200).replaceAll("\n", " "), feedback_text: hostile };
    const service = await start([
      toolCalls(["process_customer_feedback", args], [hostile.slice(0, 40), { text: hostile }]),
      reply(hostile),
    ]);
    const page = await open(service, "chat");
    await say(page, hostile);
    await card(page).getByRole("button", { name: "Approve" }).waitFor();
    const strange = "main script, main img, main svg[onload], a[href^='javascript'], a[href*='evil'], main [onerror]";
    expect(await page.locator(strange).count()).toBe(0);
    await card(page).getByRole("button", { name: "Continue" }).click();
    await page.locator(".rich").getByText("https://evil.example/bare").waitFor();
    await page.locator(".call summary").first().click();
    expect(await page.locator(strange).count()).toBe(0);
    expect(await page.title()).toMatch(/Console$/);
    await page.reload();
    await page.locator(".rich").getByText("https://evil.example/bare").waitFor();
    expect(await page.locator(strange).count()).toBe(0);
    expect(service.mails()).toEqual([]);
  });
});
