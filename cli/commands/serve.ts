import { randomBytes } from "node:crypto";
import { join, relative } from "node:path";
import type { Application } from "../../src/application/application.ts";
import type { Chat } from "../../src/interfaces/http/chat.ts";
import { openHttpService, type HttpService } from "../../src/application/http-service.ts";
import { withoutAbsent } from "../../src/json.ts";
import { urlHost } from "../../src/loopback.ts";
import { packageVersion, sampleFile } from "../../src/runtime/package-root.ts";
import { openMailboxWatcher, outboxFolder } from "../../src/application/parts.ts";
import { IN_MEMORY, namesModel, readSettings, SETTINGS, type Settings } from "../../src/application/settings.ts";
import type { Service } from "../../src/framework/service.ts";
import { usageError } from "../command.ts";
import { host } from "../terminal/host.ts";
import { INTERRUPTED, untilAborted } from "../terminal/interruption.ts";
import { dim, note, print, printJson } from "../terminal/output.ts";
import { sampleFeedback } from "./demo/sample-feedback.ts";
import type { ServeOptions } from "./serve-command.ts";
import { loggerFor, settingsFrom } from "../settings.ts";
import { withApplication } from "../with-application.ts";

/**
 * Variable in which `dev` passes the token, so that it stays the same when the service restarts.
 */
export const LOCAL_TOKEN = "ABI_LOCAL_TOKEN";

export const newLocalToken = (): string => `abi_${randomBytes(24).toString("base64url")}`;

export const STOPPED_NOTE = "Stopped. Unfinished runs continue at the next start.";

/** Serves until it is stopped. */
export async function serve(options: ServeOptions): Promise<void> {
  const settings = serveSettings(options);
  const ignored = options.demo ? leftOut() : [];
  if (ignored.length > 0)
    note(`The demo has its own customers and emails, and ignores these settings: ${ignored.join(", ")}.`);
  const logger = loggerFor(settings);
  const localToken = host().env[LOCAL_TOKEN] ?? newLocalToken();
  try {
    await withApplication(
      withLinks(settings),
      async (application, signal) => {
        // The demo must not read real email.
        const mailbox = options.demo ? undefined : await openMailboxWatcher(settings, application.service);
        const chat = await openChat(application, settings, options);
        const service = await openHttpService(application, settings, {
          version: packageVersion(),
          localToken,
          logger,
          isSample: options.demo === true,
          ...withoutAbsent({ chat }),
        }).catch(async (error: unknown) => {
          await chat?.close();
          throw error;
        });
        const sample = options.demo ? submitSample(application, signal) : undefined;
        // It is awaited at the end, where its errors are reported.
        sample?.catch(() => {});
        try {
          await mailbox?.start();
          if (options.json)
            printJson({
              status: "ready",
              url: service.url,
              ...(service.isOpen && { token: localToken }),
              try_it: tryIt(service, application.service),
            });
          else {
            announce(service.url, service.isOpen ? localToken : undefined);
            if (options.demo)
              print(`\nApproved emails are written to files in ${relative(host().cwd(), outboxFolder(settings)!)}.`);
            sayTryIt(tryIt(service, application.service));
          }
          await untilAborted(signal);
        } finally {
          // Close both at the same time, because a silent mail server must not keep the service
          // open.
          await Promise.all([mailbox?.close(), service.close()]);
          await sample;
        }
      },
      { worker: settings.worker },
    );
  } catch (error) {
    // It was stopped before it was ready.
    if (error !== INTERRUPTED) throw error;
  }
  note(STOPPED_NOTE);
}

/**
 * The agent that people talk to in the console. The demo always has one. Otherwise, if the settings
 * name no model, the result is undefined, and LangChain is not loaded.
 */
async function openChat(
  application: Application,
  settings: Settings,
  { demo }: ServeOptions,
): Promise<Chat | undefined> {
  if (!demo && !namesModel(settings)) return undefined;
  const chat = await import("../../agents/chat-service.ts");
  return chat.openChat(application, settings, { logger: loggerFor(settings) });
}

/** @throws ValidationError for invalid settings */
export function serveSettings(options: ServeOptions): Settings {
  const settings = settingsFrom(options);
  const { dataDirectory } = settings;
  if (options.demo && dataDirectory === IN_MEMORY) {
    throw usageError("The demo stores data on disk: name a folder with --data.");
  }
  const given = readSettings(
    {
      ...withoutAbsent({ httpHost: options.host, httpPort: options.port }),
    },
    host().env,
  );
  const { httpHost, httpPort } = given;
  if (!options.demo) return { ...settings, httpHost, httpPort };
  return { ...demoSettings(join(dataDirectory, "demo-service")), ...ofCaller(settings, options), httpHost, httpPort };
}

/** Settings with sample customers, and with emails that are written to files. */
const demoSettings = (dataDirectory: string): Settings =>
  readSettings(
    {
      dataDirectory,
      customerSource: sampleFile("customers.csv"),
      approval: true,
      graphTools: "questions",
      logLevel: "error",
    },
    {},
  );

/**
 * The caller's settings that apply to the demo, such as its address, its tokens and the model that
 * answers in the chat. None of them could make the customer feedback workflow write to real
 * customers.
 */
const APPLIES_TO_DEMO = /^(?:http.*|openai.*|graphTools|logLevel|publicUrl|workflows)$/;

const givenSettings = (): typeof SETTINGS => SETTINGS.filter(({ env }) => (host().env[env] ?? "") !== "");

function ofCaller(settings: Settings, { workflows }: ServeOptions): Partial<Settings> {
  const given = new Set(givenSettings().map(({ name }) => name)).add(workflows === undefined ? "" : "workflows");
  return Object.fromEntries(Object.entries(settings).filter(([name]) => given.has(name) && APPLIES_TO_DEMO.test(name)));
}

/** The variables that are set, but ignored. */
const leftOut = (): string[] =>
  givenSettings()
    .filter(({ name }) => name !== "dataDirectory" && !APPLIES_TO_DEMO.test(name))
    .map(({ env }) => env);

/**
 * Submits the sample feedback. Feedback that an earlier start has submitted is not processed again.
 */
async function submitSample({ workflow }: Application, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of workflow.runBatch(sampleFeedback(), { signal })) continue;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/**
 * Fills in PUBLIC_URL if it is not set, because notifications link to the console. Without tokens,
 * only this machine is served, so the service's own address works. With tokens, we can't know which
 * name people use.
 */
function withLinks(settings: Settings): Settings {
  const { publicUrl, httpTokens, httpTokensFile, httpHost, httpPort } = settings;
  if ((publicUrl ?? httpTokens ?? httpTokensFile) !== undefined || httpPort === 0) return settings;
  return { ...settings, publicUrl: `http://${urlHost(httpHost)}:${httpPort}` };
}

/** Prints the service's address. @param token the generated one; undefined if tokens are set */
export function announce(url: string, token: string | undefined): void {
  print(`Console: ${url}`);
  print(dim(`How to call it: ${url}/docs`));
  if (token === undefined) return;
  print(
    "\nNo tokens are set (HTTP_TOKENS), so only this machine is served. Until the service stops, use this token to sign in at the console and to approve:",
  );
  print(`  ${token}`);
}

/** @param call see `tryIt` */
export const sayTryIt = (call: string): void => print(`\nTry it:\n${call}`);

/**
 * A `curl` command to try. It calls the first of the user's own workflows that has an example; if
 * none has, customer feedback.
 */
function tryIt({ url, isOpen }: HttpService, { workflows }: Service): string {
  const [ours, ...others] = [...workflows.values()];
  const { name, process: operation } = others.find(({ process: { example } }) => example !== undefined) ?? ours!;
  const authorization = isOpen ? "" : " -H 'authorization: Bearer <token>'";
  return (
    `  curl ${url}/workflows/${name} -H 'content-type: application/json'${authorization} \\\n` +
    `    -d '${JSON.stringify(operation.example?.input ?? {})}'`
  );
}
