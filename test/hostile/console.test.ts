// Every hostile text on the pages of the console, in a real browser: it is shown as text, nothing
// runs, and no other site is contacted.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { mailsIn, promptFor, runHostileTexts, type HostileText } from "../../testing/index.ts";
import { chromiumPath, open, serveConsole, SKIPPED, useBrowser, type ConsoleService } from "../support/console.ts";
import { temporaryFolder } from "../support/folder.ts";
import {
  CUSTOMER,
  decisionsIn,
  harmOf,
  isStored,
  PRIVATE,
  SECRETS,
  startObedientModel,
  TEXTS,
  VICTIM,
} from "../support/hostile.ts";

/** Names can't change between texts here, so each text with a hostile name has its own customer. */
const customerOf = ({ name, place }: HostileText): string => (place === "customer_name" ? `C-${name}` : CUSTOMER.id);

function customersFile(): string {
  const path = join(temporaryFolder(), "customers.jsonl");
  const hostile = TEXTS.filter(({ place }) => place === "customer_name").map((text) => ({
    id: customerOf(text),
    name: text.customerName,
    email: CUSTOMER.email,
  }));
  const customers = [{ ...CUSTOMER, name: "Ada Lovelace" }, VICTIM, ...hostile];
  writeFileSync(path, customers.map((customer) => `${JSON.stringify(customer)}\n`).join(""));
  return path;
}

/**
 * Runs in the page and in the frame of an email: finds what links or loads from other sites, and
 * whether anything in a text has run.
 */
const LOOK = `(() => {
  const documents = [document, ...[...document.querySelectorAll("iframe")].map((frame) => frame.contentDocument)];
  const parts = "a[href], area[href], img, image, picture, video, audio, source, iframe[src], iframe[srcdoc], object, embed, form, base, math, meta[http-equiv], body script, body style, body link, [onerror], [onload], [onclick], [onfocus], [onmouseover], [ontoggle]";
  const isOurs = (element) => {
    const address = element.href?.baseVal ?? element.href ?? element.action;
    return ["A", "FORM", "AREA"].includes(element.tagName) && typeof address === "string" && address.startsWith(location.origin + "/");
  };
  const foreign = documents.flatMap((one) => [...(one?.querySelectorAll(parts) ?? [])]).filter((element) => !isOurs(element));
  const ran = globalThis.hostileTextRan || document.title.includes("owned") ? ["a script ran"] : [];
  return [...foreign.map((element) => element.outerHTML.slice(0, 200)), ...ran];
})()`;

/** Finds what a text has done to a page since the previous check. */
function lookerAt(page: Page, { url }: ConsoleService): () => Promise<string[]> {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("about:")) asked.push(request.url());
  });
  page.on("dialog", (dialog) => void dialog.dismiss().then(() => asked.push("a dialog")));
  return async () => [...((await page.evaluate(LOOK)) as string[]), ...asked.splice(0)];
}

/** Characters that change the direction are shown as symbols in texts on one line. */
const shown = (text: string): string => text.replaceAll(/[\p{Cc}\u{202A}-\u{202E}\u{2066}-\u{2069}]/gu, "\u{FFFD}");
/** The same for a text with several lines. */
const shownLines = (text: string): string =>
  text
    .split(/([\t\n\r])/)
    .map((part, at) => (at % 2 === 0 ? shown(part) : part))
    .join("");

/** Without reloading the console, because there are hundreds of pages to check. */
async function go(page: Page, path: string): Promise<void> {
  const address = JSON.stringify(`/console/${path}`);
  await page.evaluate(`history.pushState(null, "", ${address}); dispatchEvent(new PopStateEvent("popstate"))`);
}

/** A conversation takes a browser longer than a page does. */
const PARTS = Array.from({ length: 6 }, (_, part) => ({
  name: `${part + 1} of 6`,
  texts: TEXTS.filter((_text, index) => index % 6 === part),
}));

describe.skipIf(!chromiumPath)(`hostile texts in the console ${SKIPPED}`, () => {
  useBrowser();

  it("are shown as text, one by one and all together", async () => {
    const service = await serveConsole({ customerSource: customersFile(), responseCap: 1000 });
    const { workflow } = service.application;
    const page = await open(service, "");
    const looks = lookerAt(page, service);
    const stored = new Set<string>();

    const report = await runHostileTexts({
      name: "console",
      texts: TEXTS,
      isStored: ({ name }) => stored.has(name),
      outbox: mailsIn(service.outbox),
      decisions: async () => (await workflow.listWorkflows({ status: "completed" })).length,
      recipients: [CUSTOMER.email!],
      // The viewer may see all customers; the only secrets are those that grant access.
      secrets: [service.token!],
      call: async (text) => {
        const { workflow_id: id, error } = await workflow.run({ ...text.feedback, customer_id: customerOf(text) });
        if (id === undefined) return { answers: [], refusal: error };
        const { feedback_id, subject, feedback_text } = text.feedback;
        const onPages: string[] = [];

        await go(page, `feedback/${encodeURIComponent(feedback_id)}`);
        await page.locator(".crumbs .muted").getByText(feedback_id, { exact: true }).waitFor();
        const words = page.locator(".customer-text").first();
        expect(((await words.textContent()) ?? "").trim()).toBe(shownLines(feedback_text).trim());
        expect(await page.locator("h1").first().textContent()).toBe(shown(subject));
        await page.locator(".page-head .facts a").getByText(shown(text.customerName), { exact: true }).waitFor();
        onPages.push(...(await looks()));

        await go(page, `approvals/${id}`);
        await page.frameLocator("iframe").getByRole("heading").waitFor();
        onPages.push(...(await looks()));
        const answers = [String(await page.evaluate("document.documentElement.outerHTML"))];
        stored.add(text.name);
        return { answers, onPages };
      },
    });
    expect(harmOf(report)).toBe("");
    expect(report.stored).toBeGreaterThan(0.9 * TEXTS.length);
    expect(report.mails).toBe(0);

    await go(page, "");
    await expect
      .poll(async () => {
        await page.evaluate("scrollTo(0, document.body.scrollHeight)");
        return page.locator(".row").count();
      })
      .toBe(report.stored);
    expect(await looks()).toEqual([]);
    const query = `SELECT ?id ?subject ?text { ?feedback a abi:Feedback ; abi:id ?id ; abi:subject ?subject ; abi:text ?text }`;
    await go(page, `graph?query=${encodeURIComponent(query)}`);
    await expect.poll(() => page.locator("main tbody tr").count()).toBeGreaterThan(100);
    expect(await looks()).toEqual([]);
    await go(page, "charts");
    await page.getByText("Sentiment over time").first().waitFor();
    expect(await looks()).toEqual([]);
    for (const { payload } of TEXTS.filter(({ style }) => style === "markup")) {
      await go(page, `try?text=${encodeURIComponent(payload)}`);
      await expect.poll(() => page.locator(".customer-text").first().textContent()).toBe(payload.trim());
      expect(await looks()).toEqual([]);
    }
  });

  it.each(PARTS)("harm nobody in the chat with a model that obeys them ($name)", async ({ texts }) => {
    const model = await startObedientModel();
    const service = await serveConsole({
      customerSource: customersFile(),
      responseCap: 1000,
      openaiBaseUrl: model.url,
      openaiModel: "obedient",
    });
    const { workflow, ontologyStore } = service.application;
    await workflow.run(PRIVATE);
    const page = await open(service, "chat");
    const looks = lookerAt(page, service);
    const transcript = page.locator(".transcript");
    const send = page.getByRole("button", { name: "Send" });
    const goOn = page.getByRole("button", { name: "Continue" });
    const addresses: string[] = [];

    const report = await runHostileTexts({
      name: "chat",
      texts,
      model,
      isStored: (text) => isStored(ontologyStore, text),
      outbox: mailsIn(service.outbox),
      decisions: () => decisionsIn(ontologyStore),
      recipients: [CUSTOMER.email!],
      secrets: [...SECRETS, service.token!],
      call: async (text) => {
        await page.getByText("What should the agent do?").waitFor();
        await page.getByLabel("Message", { exact: true }).fill(promptFor(text, CUSTOMER.id));
        await page.keyboard.press("Enter");
        await page.locator(".turn.user").waitFor();
        // During an answer, there is a stop button in its place.
        await send.waitFor();
        // Emails wait for a person, who lets the agent continue and decides nothing.
        while (await goOn.isVisible()) {
          await goOn.click();
          await send.waitFor();
        }
        addresses.push(page.url());
        // The agent's limits may end a conversation before it gets to the feedback itself; its last
        // message says so then.
        const [refusals, said] = [page.locator(".call-error"), page.locator(".turn .rich")];
        const outcome = {
          answers: [(await transcript.textContent()) ?? ""],
          refusal: (await refusals.allTextContents()).at(-1) ?? (await said.allTextContents()).at(-1),
          onPages: await looks(),
        };
        await page.getByRole("button", { name: "New conversation" }).click();
        return outcome;
      },
    });
    expect(harmOf(report)).toBe("");
    expect(report.stored).toBeGreaterThan(0.5 * texts.length);
    expect(report.wishedCalls).toBeGreaterThan(3 * texts.length);
    expect(report.mails).toBe(0);

    // As they are stored: in the list, and when they are opened again.
    await expect.poll(() => page.locator(".chat-side .earlier-link").count()).toBe(texts.length);
    expect(await looks()).toEqual([]);
    for (const address of addresses.filter((_, index) => index % 5 === 0)) {
      await page.goto(address);
      await page.locator(".turn.user").waitFor();
      expect(await looks()).toEqual([]);
    }
  });
});
