// What things cost on this machine, as medians, and as ratios to what the same machine needs for one flushed commit:
// ratios can be compared between machines, milliseconds can not.   npm run bench
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmbeddedFeedbackCategorizer, EmbeddedSentimentAnalyzer, openApplication, readSettings } from "../src/index.ts";
import { openSqlite } from "../src/sqlite.ts";
import { median, report } from "./measure.ts";

const folder = mkdtempSync(join(tmpdir(), "abi-workflows-bench-"));
const customerSource = join(folder, "customers.json");
const customers = Array.from({ length: 1000 }, (_, n) => ({
  id: `C-${n}`,
  name: `Customer ${n}`,
  email: `c${n}@example.org`,
}));
writeFileSync(customerSource, JSON.stringify(customers));

const TEXTS = [
  "The product is great and I love the new design!",
  "I was charged twice this month and nobody answers my mails.",
  "It crashes every time I open the settings. Not good at all, but support was friendly.",
  "Is there a way to export my data as a spreadsheet?",
];
const text = (n: number): string => `${TEXTS[n % TEXTS.length]} (${n})`;

try {
  const probe = openSqlite(join(folder, "probe.sqlite"));
  probe.exec("CREATE TABLE probe (value TEXT)");
  const insert = probe.prepare("INSERT INTO probe VALUES (?)");
  const commit = await median(500, (n) => insert.run(text(n)));
  probe.close();

  const settings = readSettings({ dataDirectory: join(folder, "data"), customerSource, responseCap: 1_000_000 }, {});
  const opening = await median(5, async () => (await openApplication(settings)).close());

  const application = await openApplication(settings);
  const { workflow } = application;
  let submitted = 0;
  const feedback = (send_response: boolean) => {
    const n = submitted++;
    const customer_id = `C-${n % customers.length}`;
    return { feedback_id: `F-${n}`, customer_id, subject: "Bench", feedback_text: text(n), send_response };
  };
  const first = feedback(true);
  await workflow.run(first);
  const answered = await median(300, () => workflow.run(feedback(true)));
  const stored = await median(300, () => workflow.run(feedback(false)));
  const duplicate = await median(300, () => workflow.run(first));
  const batchSize = 500;
  const batch = await median(3, async () => {
    const items = Array.from({ length: batchSize }, () => feedback(true));
    for await (const { success, error } of workflow.runBatch(items)) if (!success) throw new Error(error);
  });
  await application.close();

  const analyzer = new EmbeddedSentimentAnalyzer();
  const categorizer = new EmbeddedFeedbackCategorizer();
  const analysis = await median(20, () => {
    for (let n = 0; n < 1000; n++) {
      analyzer.analyze(text(n));
      categorizer.categorize(text(n));
    }
  });

  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  const ratio = (value: number): string => `${ms(value)} = ${(value / commit).toFixed(1)} flushed commits`;
  report([
    ["one flushed commit (SQLite, synchronous FULL)", ms(commit)],
    ["open everything and close it again", ms(opening)],
    ["one feedback, answered by mail to the outbox", ratio(answered)],
    ["one feedback, no mail", ratio(stored)],
    ["the same feedback again", ratio(duplicate)],
    ["batch, answered by mail", `${Math.round((batchSize / batch) * 1000)} feedback a second`],
    ["sentiment and categories of one text", `${Math.round(1_000_000 / analysis)} texts a second`],
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
