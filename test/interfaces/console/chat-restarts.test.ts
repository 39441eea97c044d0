import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { RunningCommand, workplace } from "../../cli/command-process.ts";
import { AWAY, chromiumPath, open, person, SKIPPED, useBrowser } from "../../support/console.ts";
import { freePort } from "../../support/free-port.ts";
import { reply, startOpenAiServer, status, toolCall, type ScriptStep } from "../../support/openai-server.ts";

const SECRET = "ann-0123456789abcdef";

const PROCESS = toolCall("process_customer_feedback", {
  feedback_id: "F-1",
  customer_id: "C-1",
  subject: "Search",
  feedback_text: "I love the new search, it is fast.",
});

/** A service in its own process, which can be killed and started again at the same address. */
async function serve(script: ScriptStep[]) {
  const model = await startOpenAiServer(script);
  const { cwd, env } = workplace();
  const port = await freePort();
  const settings = {
    ...env,
    APPROVAL: "on",
    OPENAI_BASE_URL: model.url,
    OPENAI_MODEL: "small",
    HTTP_TOKENS: `ann:feedback:read+feedback:write+approve:${SECRET}`,
  };
  let running: RunningCommand;
  const start = async (): Promise<void> => {
    running = new RunningCommand(["serve", "--port", String(port), "--json"], { cwd, env: settings });
    await running.lines(1);
  };
  const kill = async (): Promise<void> => {
    running.kill("SIGKILL");
    await running.ended;
  };
  await start();
  const outbox = join(cwd, ".abi-workflows/outbox");
  const mails = (): number => (existsSync(outbox) ? readdirSync(outbox).length : 0);
  return { url: `http://127.0.0.1:${port}`, model, start, kill, mails };
}

async function openChat({ url }: { url: string }): Promise<Page> {
  const context = await person();
  await context.request.post(`${url}/session`, { data: { token: SECRET }, headers: { origin: url } });
  const service = { url, token: undefined } as Parameters<typeof open>[0];
  return open(service, "chat", { context, expected: AWAY });
}

async function say(page: Page, message: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(message);
  await page.keyboard.press("Enter");
}

const problem = (page: Page) => page.locator(".turn.problem");

const card = (page: Page) => page.getByRole("region", { name: "Emails that wait for you" });

describe.skipIf(!chromiumPath)(`the chat with a service that is killed ${SKIPPED}`, () => {
  useBrowser();

  it.each(["by itself when the service is back", "when the page is opened again"])(
    "continues after a decision, %s",
    async (when) => {
      const service = await serve([PROCESS, reply("The email is out.")]);
      const page = await openChat(service);
      await say(page, "Process F-1");
      const killed = Promise.withResolvers<void>();
      // The decision is stored, but the request to continue the agent gets lost.
      await page.route("**/continue", async (route) => {
        await service.kill();
        await route.continue();
        killed.resolve();
      });
      await card(page).getByRole("button", { name: "Approve" }).click();
      await killed.promise;
      await problem(page).getByText("can't be reached").waitFor();
      await page.unroute("**/continue");
      await service.start();
      if (when.startsWith("when")) await page.reload();
      await page.locator(".rich", { hasText: "The email is out." }).waitFor();
      await page.locator(".call-decision", { hasText: "Approved by ann" }).waitFor();
      expect(await card(page).count()).toBe(0);
      expect(await problem(page).count()).toBe(0);
      expect(service.mails()).toBe(1);
    },
  );

  it("continues if the service was killed while the agent was receiving the outcome", async () => {
    const killed = Promise.withResolvers<void>();
    const dies: ScriptStep = () => {
      killed.resolve(service.kill());
      return status(503);
    };
    const service = await serve([PROCESS, dies, reply("The email is out.")]);
    const page = await openChat(service);
    await say(page, "Process F-1");
    await card(page).getByRole("button", { name: "Approve" }).click();
    await killed.promise;
    await problem(page).waitFor();
    await service.start();
    await page.locator(".rich", { hasText: "The email is out." }).waitFor();
    expect(service.mails()).toBe(1);
    expect(service.model.requests.at(-1)!.body.messages.at(-1)!.content).toContain('"by":"ann"');
  });

  it("loads an earlier conversation once the service is back", async () => {
    const service = await serve([reply("Good morning.")]);
    const page = await openChat(service);
    await say(page, "Hello");
    await page.locator(".rich", { hasText: "Good morning." }).waitFor();
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.locator(".welcome").waitFor();
    await service.kill();
    await page.getByRole("link", { name: "Hello" }).click();
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await service.start();
    await page.locator(".rich", { hasText: "Good morning." }).waitFor();
    expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(0);
  });

  it("keeps the card and the messages if nobody had decided", async () => {
    const service = await serve([PROCESS, reply("The email is out.")]);
    const page = await openChat(service);
    await say(page, "Process F-1");
    await card(page).getByRole("button", { name: "Approve" }).waitFor();
    await service.kill();
    await card(page).getByRole("button", { name: "Approve" }).click();
    await page.getByText("can't be reached").first().waitFor();
    await service.start();
    await card(page).getByRole("button", { name: "Approve" }).click();
    await page.locator(".rich", { hasText: "The email is out." }).waitFor();
    expect(await page.locator(".said").allInnerTexts()).toEqual(["Process F-1"]);
    expect(service.mails()).toBe(1);
  });
});
