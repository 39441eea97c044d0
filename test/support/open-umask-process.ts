// A process whose umask takes no permission away. It creates every kind of file that the package creates, and prints
// their modes: first those while the files are open, then those after a backup.
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { SqliteCheckpointSaver } from "../../agents/index.ts";
import { backUp } from "../../cli/commands/backup.ts";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import { createMailTransport } from "../../src/integrations/email/create-mail-transport.ts";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { openApplication, readSettings } from "../../src/index.ts";

process.umask(0);
const root = process.argv[2]!;

function modes(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    found[relative(root, path)] = (statSync(path).mode & 0o777).toString(8);
  }
  return found;
}

const mail = {
  from: "care@shop.example",
  to: "ada@example.org",
  subject: "RE: Hello",
  html: "<p>Hello</p>",
  text: "Hello",
  messageId: "<1@shop.example>",
  headers: {},
};

const memory = new SqliteCheckpointSaver(join(root, "chat", "deep", "conversations.sqlite"));
await memory.deleteThread("anna");
const store = await OxigraphOntologyStore.open({ path: join(root, "graph", "ontology.sqlite") });
await store.createStore("customer_data");
const engine = new DurableEngine({ path: join(root, "engine", "runs.sqlite") });
engine.register("one", async () => null);
await engine.wait((await engine.start("one", { key: "k", fingerprint: "f", input: null })).id);
const transport = createMailTransport(`outbox:${join(root, "outbox")}`);
await transport.send(mail);
const application = await openApplication(readSettings({ dataDirectory: join(root, "data") }, {}));
const whileOpen = modes();

// A file with the mode that another program would give it.
writeFileSync(join(root, "outbox", "open.eml"), "", { mode: 0o666 });
const databases = [
  join(root, "engine", "runs.sqlite"),
  join(root, "graph", "ontology.sqlite"),
  join(root, "chat", "deep", "conversations.sqlite"),
];
const folders = [join(root, "outbox")];
await backUp({ databases, files: [], folders }, join(root, "backups", "today"));
const { [join("outbox", "open.eml")]: _, ...afterBackup } = modes();

await application.close();
await engine.close();
await store.close();
memory.close();
process.stdout.write(JSON.stringify([whileOpen, afterBackup]));
