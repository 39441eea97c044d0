import { rm } from "node:fs/promises";
import { join } from "node:path";
import { usageError } from "../command.ts";
import { interruptible } from "../terminal/interruption.ts";
import { settingsFrom } from "../settings.ts";
import { namesModel } from "../../src/application/settings.ts";
import { runDemo } from "./demo/run-demo.ts";
import type { DemoCommandOptions } from "./demo-command.ts";

export async function demo(options: DemoCommandOptions): Promise<void> {
  const settings = settingsFrom(options);
  const { dataDirectory, openaiApiKey, openaiBaseUrl } = settings;
  if (dataDirectory === ":memory:") throw usageError("The demo stores data on disk: name a folder with --data.");
  if (options.model !== undefined && !namesModel(settings)) {
    throw usageError("--model needs a model service: set OPENAI_API_KEY, or OPENAI_BASE_URL for another one.");
  }
  const directory = join(dataDirectory, "demo");
  if (options.fresh) await rm(directory, { recursive: true, force: true });
  const { model } = options;
  const chatModel = model === undefined ? undefined : { openaiApiKey, openaiBaseUrl, openaiModel: model };
  const view = options.json
    ? (await import("./demo/json-view.ts")).jsonView(directory)
    : (await import("./demo/terminal-view.ts")).terminalView(directory, model);
  await interruptible((signal) => runDemo({ directory, signal, chatModel }, view));
}
