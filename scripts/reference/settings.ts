import { readSettings, SETTINGS, type SettingsOptions } from "../../src/application/settings.ts";
import { cell, code, page, table } from "./markdown.ts";

/** The title of each section, by the setting with which it begins. */
const SECTIONS: Readonly<Record<string, string>> = {
  ABI_DATA_DIRECTORY: "Storage and runs",
  ONTOLOGY_URL: "Knowledge graph on a SPARQL endpoint",
  CUSTOMER_SOURCE: "Customers",
  MAIL_URL: "Outgoing email",
  IMAP_URL: "Incoming email",
  TICKET_URL: "Tickets",
  ANALYZER: "Analysis, escalation and approval",
  RESPONSE_CAP: "Limits and retries",
  NOTIFY_URL: "Notifications",
  PUBLIC_URL: "Tools and workflows",
  HTTP_HOST: "HTTP service",
  METRICS_PORT: "Metrics and log",
  OPENAI_API_KEY: "Chat model",
};

type Setting = (typeof SETTINGS)[number];

export function settingsPage(): string {
  const sections: { title: string; settings: Setting[] }[] = [];
  for (const setting of SETTINGS) {
    const title = SECTIONS[setting.env];
    if (title !== undefined) sections.push({ title, settings: [] });
    sections.at(-1)!.settings.push(setting);
  }
  if (sections.length !== Object.keys(SECTIONS).length)
    throw new Error("A section begins at a setting that doesn't exist.");
  const defaults = readSettings({}, {});
  return page(
    "Settings",
    "Set them as environment variables, or under their option name in `readSettings` and `createCustomerFeedbackTools`. Options win.",
    ...sections.map(({ title, settings }) => `## ${title}\n\n${tableOf(settings, defaults)}`),
  );
}

const tableOf = (settings: readonly Setting[], defaults: SettingsOptions): string =>
  table(
    ["Variable", "Option", "Default", "Meaning"],
    settings.map(({ env, name, about }) => [
      code(env),
      code(name),
      defaultText(defaults[name as keyof SettingsOptions]),
      cell(about),
    ]),
  );

function defaultText(value: SettingsOptions[keyof SettingsOptions]): string {
  if (value === undefined) return "";
  return code(typeof value === "boolean" ? (value ? "on" : "off") : value.toString());
}
