/**
 * Writes the screenshots of docs/console.md: `node scripts/screenshots.ts`, or `… chat` for only
 * those whose names begin with `chat`. It needs Chromium (see `CHROMIUM_PATH` in CONTRIBUTING.md)
 * and pngquant. The screenshots show the sample feedback as if it had come in over two weeks and
 * people had decided on some of its emails.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { openChat } from "../agents/index.ts";
import { sampleFeedback } from "../cli/commands/demo/sample-feedback.ts";
import { openApplication, type Application } from "../src/application/application.ts";
import { openHttpService } from "../src/application/http-service.ts";
import { iri } from "../src/ontology/iri.ts";
import { DataFactory } from "../src/ontology/n3.ts";
import { silentLogger } from "../src/log.ts";
import { readSettings } from "../src/application/settings.ts";
import { openSqlite } from "../src/files/sqlite.ts";
import { chromiumPath } from "../test/support/chromium.ts";

const root = join(import.meta.dirname, "..");
const target = join(root, "docs", "console");
const sample = (name: string): string => join(root, "examples", "data", name);

const TOKEN = "screenshots-0123456789";

interface Shot {
  name: string;
  path: string;
  width?: number;
  height?: number;
  dark?: boolean;
  /** Actions before the screenshot is taken. */
  act?: (page: Page) => Promise<void>;
}

/** Asks the agent a few things, and finally for something that leaves an email waiting. */
async function talk(page: Page): Promise<void> {
  const message = page.getByLabel("Message", { exact: true });
  const ask = async (text: string): Promise<void> => {
    await message.fill(text);
    await message.press("Enter");
  };
  for (const text of ["What do we know about customer C-1022?", "Categorize: The invoice is wrong again."]) {
    await ask(text);
    await page.locator(".rich").waitFor();
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.locator(".welcome").waitFor();
  }
  await ask("What became of feedback F-3003?");
  await page.locator(".rich").waitFor();
  await ask(
    "Process feedback F-4001 from customer C-1007: 'Absolutely love the new dashboard, everything is so easy to find now!'",
  );
  await page.getByRole("button", { name: "Approve" }).waitFor();
}

const PHONE = { width: 390, height: 844 };

const shots = (waiting: string): Shot[] => [
  { name: "inbox", path: "" },
  { name: "feedback", path: "feedback/F-3002" },
  { name: "approvals", path: `approvals/${waiting}` },
  { name: "charts-dark", path: "charts", dark: true },
  { name: "feedback-dark", path: "feedback/F-3003", dark: true },
  {
    name: "try",
    path: "try?text=The+new+dashboard+is+wonderful,+but+exporting+takes+forever+and+twice+it+just+crashed.",
  },
  { name: "chat", path: "chat", act: talk },
  { name: "chat-phone-dark", path: "chat", ...PHONE, dark: true, act: talk },
  { name: "inbox-phone", path: "", ...PHONE },
  { name: "approvals-phone-dark", path: `approvals/${waiting}`, ...PHONE, dark: true },
];

const DAY = 86_400_000;
const SPREAD_DAYS = 13;

const DURATION = iri("http://www.w3.org/2001/XMLSchema#dayTimeDuration");
const MOVE = `PREFIX abi: <http://example.org/abi#>
  DELETE { ?f ?property ?time } INSERT { ?f ?property ?moved }
  WHERE { ?f abi:id ?id ; ?property ?time . VALUES ?property { abi:timestamp abi:responseTime } BIND(?time - ?by AS ?moved) }`;

/** Moves the times of each run and its feedback into the past, those of the first keys furthest. */
async function spread({ ontologyStore }: Application, dataDirectory: string, keys: readonly string[]): Promise<void> {
  const database = openSqlite(join(dataDirectory, "data.sqlite"));
  const offset = (index: number): number =>
    Math.round((1 - index / keys.length) ** 1.4 * SPREAD_DAYS * DAY + ((index * 7919) % 5) * 2_900_000);
  const runs = database.prepare(
    "UPDATE runs SET created_at = created_at - :by, ended_at = ended_at - :by WHERE key = :key RETURNING seq",
  );
  const events = database.prepare("UPDATE events SET time = time - :by WHERE run = :seq");
  for (const [index, key] of keys.entries()) {
    const by = offset(index);
    const run = runs.get({ by, key });
    if (!run) continue;
    events.run({ by, seq: run["seq"]! });
    await ontologyStore.update("feedback_data", MOVE, {
      id: key,
      by: DataFactory.literal(`PT${Math.round(by / 1000)}S`, DURATION),
    });
  }
  database.close();
}

/**
 * Decides on emails in the names of two people. The emails of every eleventh run and of the last
 * eight keep waiting; returns the ids of these runs.
 */
async function decide({ workflow }: Application, ids: readonly string[]): Promise<string[]> {
  const waiting: string[] = [];
  for (const [index, id] of ids.entries()) {
    const mail = await workflow.getPendingResponse(id);
    if (!mail) continue;
    const { rendering } = mail;
    const by = index % 2 === 0 ? "Ann" : "Ben";
    if (index > ids.length - 9 || index % 11 === 0) waiting.push(id);
    else if (index % 13 === 5) await workflow.rejectResponse(id, { rendering, by, reason: "Answered by telephone." });
    else await workflow.approveResponse(id, { rendering, by });
    if (!waiting.includes(id)) await workflow.getWorkflowResult(id);
  }
  return waiting;
}

async function fill(application: Application): Promise<{ keys: string[]; waiting: string[] }> {
  const keys: string[] = [];
  const ids: string[] = [];
  for await (const values of sampleFeedback()) {
    const { feedback_id: key } = values as { feedback_id: string };
    const { workflow_id: id } = await application.workflow.run(values);
    keys.push(key);
    if (id !== undefined) ids.push(id);
  }
  return { keys, waiting: await decide(application, ids) };
}

async function shoot(
  browser: Browser,
  url: string,
  { name, path, width = 1440, height = 900, dark = false, act }: Shot,
): Promise<void> {
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    deviceScaleFactor: 1,
  });
  await page.context().request.post(`${url}/session`, { data: { token: TOKEN }, headers: { origin: url } });
  await page.goto(`${url}/console/${path}`);
  await page.locator("main :is(h1, .bar):visible").first().waitFor();
  await page.waitForLoadState("networkidle").catch(() => {});
  await act?.(page);
  await page.waitForTimeout(1500);
  const file = join(target, `${name}.png`);
  await page.screenshot({ path: file });
  // A quarter of the size, without a visible difference.
  execFileSync("pngquant", ["--force", "--strip", "--quality", "85-100", "--output", file, file]);
  await page.close();
}

const dataDirectory = mkdtempSync(join(tmpdir(), "abi-workflows-screenshots-"));
try {
  const settings = readSettings(
    {
      dataDirectory,
      customerSource: sample("customers.csv"),
      approval: true,
      graphTools: "questions",
      responseCap: 100,
      httpPort: 0,
      httpRateLimit: 0,
    },
    {},
  );
  const filling = await openApplication(settings, silentLogger);
  const { keys, waiting } = await fill(filling);
  await spread(filling, dataDirectory, keys);
  const chat = await openChat(filling, settings);
  const service = await openHttpService(filling, settings, { version: "0.0.0", localToken: TOKEN, chat });
  if (chromiumPath === undefined) throw new Error("There is no Chromium: install it, or set CHROMIUM_PATH.");
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
  mkdirSync(target, { recursive: true });
  const wanted = shots(waiting.at(-1)!).filter(({ name }) => name.startsWith(process.argv[2] ?? ""));
  for (const shot of wanted) await shoot(browser, service.url, shot);
  await browser.close();
  await service.close();
  await filling.close();
} finally {
  rmSync(dataDirectory, { recursive: true, force: true });
}
