import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type axe from "axe-core";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { openChat } from "../../agents/index.ts";
import { openApplication, type Application } from "../../src/application/application.ts";
import type { CreateWorkflows } from "../../src/application/own-workflows.ts";
import { openHttpService, type HttpService } from "../../src/application/http-service.ts";
import { withoutAbsent } from "../../src/json.ts";
import { silentLogger } from "../../src/log.ts";
import { readSettings, type Settings } from "../../src/application/settings.ts";
import { chromiumPath } from "./chromium.ts";
import { temporaryFolder } from "./folder.ts";

export { chromiumPath };

/** What the browser logs when the service is down; the text depends on when the connection broke. */
export const AWAY = /Failed to load resource|ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY/;

export const SKIPPED = "(skipped without Chromium: install it, or name it in CHROMIUM_PATH)";

const CUSTOMERS = join(import.meta.dirname, "../../examples/data/customers.csv");
const AXE = readFileSync(join(import.meta.dirname, "../../node_modules/axe-core/axe.min.js"), "utf8");

/** The whole application with its HTTP service and its console. */
export interface ConsoleService {
  readonly application: Application;
  readonly url: string;
  /** The token with which `open` signs in; undefined if the test sets its own tokens. */
  readonly token: string | undefined;
  /** The folder that emails go to. */
  readonly outbox: string;
  /** The contents of the email files in the outbox. */
  mails: () => string[];
  stop(): Promise<void>;
  /** Serves on the same port again. */
  start(changes?: Partial<Settings>): Promise<void>;
}

const LOCAL_TOKEN = "local-0123456789abcdef";

interface ServiceOptions {
  /** Whether there is a chat, with the offline model if the settings name no model. Default: only if they name one. */
  hasChat?: boolean;
  /** Whether the console says that the data is a sample. */
  isSample?: boolean;
  createWorkflows?: CreateWorkflows;
}

/** Serves sample customers; emails wait for a person unless the settings say otherwise. */
export async function serveConsole(
  overrides: Partial<Settings> = {},
  { hasChat = overrides.openaiBaseUrl !== undefined, isSample = false, createWorkflows }: ServiceOptions = {},
): Promise<ConsoleService> {
  const dataDirectory = temporaryFolder();
  const given = {
    dataDirectory,
    customerSource: CUSTOMERS,
    approval: true,
    httpPort: 0,
    httpRateLimit: 0,
    logLevel: "silent" as const,
  };
  const settings = readSettings({ ...given, ...overrides }, {});
  const options = { version: "0.0.0", localToken: LOCAL_TOKEN, logger: silentLogger, isSample };
  const application = await openApplication(settings, silentLogger, withoutAbsent({ createWorkflows }));
  const serve = async (current: Settings): Promise<HttpService> => {
    const chat = hasChat ? await openChat(application, current) : undefined;
    return openHttpService(application, current, { ...options, ...(chat && { chat }) });
  };
  let service: HttpService | undefined = await serve(settings);
  const { url } = service;
  const outbox = join(dataDirectory, "outbox");
  const stop = async (): Promise<void> => {
    await service?.close();
    service = undefined;
  };
  onTestFinished(async () => {
    await stop();
    await application.close();
  });
  return {
    application,
    url,
    token: settings.httpTokens === undefined ? LOCAL_TOKEN : undefined,
    outbox,
    mails: () =>
      existsSync(outbox)
        ? readdirSync(outbox)
            .filter((name) => name.endsWith(".eml"))
            .map((name) => readFileSync(join(outbox, name), "utf8"))
        : [],
    stop,
    start: async (changes = {}) => {
      service = await serve({ ...settings, ...changes, httpPort: Number(new URL(url).port) });
    },
  };
}

/** Submits pieces of feedback, whose emails then wait for a person. */
export async function submit({ application }: ConsoleService, ...items: Record<string, unknown>[]): Promise<string[]> {
  const ids: string[] = [];
  for (const [index, item] of items.entries()) {
    const feedback = {
      feedback_id: `F-${index + 1}`,
      customer_id: "C-1001",
      subject: "Search",
      feedback_text: "I love the new search, it is fast.",
    };
    const { workflow_id: id } = await application.workflow.run({ ...feedback, ...item });
    if (id !== undefined) ids.push(id);
  }
  return ids;
}

let browser: Browser | undefined;

/** Starts one browser for all tests of a file. */
export function useBrowser(): void {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath!, args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser?.close();
    browser = undefined;
  });
}

type ContextOptions = Parameters<Browser["newContext"]>[0];

/** A person with a browser session of their own. */
export async function person(options: ContextOptions = {}): Promise<BrowserContext> {
  const context = await browser!.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  // Generous, because the machine may be slow.
  context.setDefaultTimeout(60_000);
  onTestFinished(() => context.close());
  return context;
}

interface OpenOptions {
  context?: BrowserContext;
  /** Browser messages that the test expects, such as those about a service that is down. */
  expected?: RegExp;
}

/** Opens a page of the console. The test fails if the page logs a problem or requests anything from another site. */
export async function open(
  { url, token }: ConsoleService,
  path: string,
  { context: given, expected }: OpenOptions = {},
): Promise<Page> {
  const context = given ?? (await person());
  if (token !== undefined) {
    const signedIn = await context.request.post(`${url}/session`, {
      data: { token },
      headers: { origin: url },
      // The server may close a kept-alive connection at that moment.
      maxRetries: 3,
    });
    expect(signedIn.ok()).toBe(true);
  }
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(`error: ${error.stack ?? error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && expected?.test(message.text()) !== true)
      problems.push(`${message.text()} ${message.location().url}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("about:"))
      problems.push(`asked for ${request.url()}`);
  });
  await page.goto(`${url}/console/${path}`);
  onTestFinished(() => expect(problems).toEqual([]));
  return page;
}

/** Approves the email on the screen with the keyboard, as soon as that is possible. */
export async function approveByKey(page: Page): Promise<void> {
  await page.locator("button:enabled", { hasText: "Approve" }).waitFor();
  await page.keyboard.press("a");
}

/** The serious and critical accessibility problems that axe finds on the page. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  // Wait for transitions to end: people don't read the colours in between.
  await page.evaluate(
    "Promise.all(document.getAnimations().filter((one) => one.effect.getTiming().iterations !== Infinity).map((one) => one.finished.catch(() => {})))",
  );
  // A string, because the types of the browser are unknown here.
  const found = (await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")) as axe.AxeResults;
  return found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}
