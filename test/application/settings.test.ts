import { describe, expect, it } from "vitest";
import { readSettings } from "../../src/application/settings.ts";
import { SETTINGS } from "../../src/application/settings.ts";

describe("settings", () => {
  it("have defaults that work on a fresh machine", () => {
    expect(readSettings({}, {})).toEqual({
      dataDirectory: ".abi-workflows",
      customerMaxAge: "1h",
      customerStaleIfError: "1d",
      mailFrom: "Customer Care <care@example.org>",
      analyzer: "embedded",
      escalateUnreadable: false,
      thankAbove: 0.75,
      escalateDoubtful: false,
      escalation: true,
      approval: false,
      responseCap: 10,
      responseCapMinutes: 180,
      maxParallelRequests: 5,
      maxParallelRequestsPer: "database",
      notifyOn: ["approval.waiting", "run.failed"],
      unknownSender: "person",
      worker: true,
      retryAttempts: 6,
      retryDelayMs: 500,
      mailRetryFor: "1d",
      graphTools: "off",
      httpHost: "127.0.0.1",
      httpPort: 8008,
      httpRateLimit: 3000,
      metricsHost: "127.0.0.1",
      logLevel: "warn",
    });
  });

  it("come from the options first, then from the environment; an empty one counts as missing", () => {
    const environment = {
      MAIL_URL: "smtp://mail.example",
      RESPONSE_CAP: "3",
      ESCALATION: "off",
      OPENAI_MODEL: "",
      LOG_LEVEL: "info",
    };
    expect(readSettings({ responseCap: 7, logLevel: "debug" }, environment)).toMatchObject({
      mailUrl: "smtp://mail.example",
      responseCap: 7,
      escalation: false,
      logLevel: "debug",
    });
    expect(readSettings({}, environment)).not.toHaveProperty("openaiModel");
  });

  it.each(["postgres://db/abi", "postgresql://db/abi", "restate+http://restate:8080", "restate+https://restate/shop"])(
    "accept %s for the runs",
    (databaseUrl) => {
      expect(readSettings({}, { DATABASE_URL: databaseUrl })).toMatchObject({ databaseUrl });
    },
  );

  it.each([
    ["DATABASE_URL", "restateehttp://restate:8080", /must be a URL with postgres:\/\/ or .* or restate\+http:\/\/ or/],
    ["MAX_PARALLEL_REQUESTS", "0", /MAX_PARALLEL_REQUESTS \(maxParallelRequests\) must be at least 1/],
    ["MAX_PARALLEL_REQUESTS", "many", /must be a whole number/],
    ["THANK_ABOVE", "75%", /THANK_ABOVE \(thankAbove\) must be a number from 0 to 1, such as 0\.75/],
    ["THANK_ABOVE", "1.1", /must be a number from 0 to 1/],
    ["RESPONSE_CAP", " ", /RESPONSE_CAP \(responseCap\) must be a whole number/],
    ["MAIL_RETRY_FOR", "24", /MAIL_RETRY_FOR \(mailRetryFor\) must be a duration such as 30s, 15m, 1h or 2d, or 0\./],
    ["HTTP_PORT", "65536", /HTTP_PORT \(httpPort\) must be at most 65535/],
    ["ESCALATION", "maybe", /ESCALATION \(escalation\) must be on or off/],
    ["LOG_LEVEL", "loud", /LOG_LEVEL \(logLevel\) must be silent, fatal, .*, or trace\./],
    [
      "OPENAI_API_KEY",
      "sk-1\nsk-2",
      /OPENAI_API_KEY \(openaiApiKey\) must have no line break, accent or invisible character/,
    ],
    ["TICKET_TOKEN", "secret\u200B", /TICKET_TOKEN \(ticketToken\) must have no line break/],
    ["ANALYZER", "chatmodel", /ANALYZER \(analyzer\) must be embedded or chat-model\./],
    [
      "OPENAI_BASE_URL",
      "https://user:secret@host/v1",
      /OPENAI_BASE_URL \(openaiBaseUrl\) must not have a user or password/,
    ],
    [
      "OPENAI_BASE_URL",
      "localhost:1234",
      /OPENAI_BASE_URL \(openaiBaseUrl\) must be a URL with http:\/\/ or https:\/\//,
    ],
  ])("that are invalid are named: %s=%s", (name, value, message) => {
    expect(() => readSettings({}, { [name]: value })).toThrow(message);
  });

  it("drop the line end that a file adds to a key", () => {
    expect(readSettings({}, { OPENAI_API_KEY: " sk-1\r\n" })).toMatchObject({ openaiApiKey: "sk-1" });
  });

  it.each(["ONTOLOGY_UPDATE_URL", "ONTOLOGY_GRAPH_STORE_URL", "ONTOLOGY_TOKEN", "ONTOLOGY_AUTHENTICATION"])(
    "of a SPARQL endpoint are refused if none is configured: %s",
    (name) => {
      const value = name.endsWith("URL") ? "https://graph.example/" : "digest";
      expect(() => readSettings({}, { [name]: value })).toThrow(
        new RegExp(`${name} \\(ontology\\w+\\) has no effect without ONTOLOGY_URL`),
      );
      expect(() => readSettings({}, { [name]: value, ONTOLOGY_URL: "https://graph.example/" })).not.toThrow();
    },
  );

  it.each(["ESCALATE_UNREADABLE", "ESCALATE_DOUBTFUL"])("of escalation are refused if it is off: %s", (name) => {
    expect(() => readSettings({}, { [name]: "on", ESCALATION: "off" })).toThrow(
      new RegExp(`${name} \\(escalate\\w+\\) has no effect with ESCALATION=off`),
    );
    expect(() => readSettings({}, { [name]: "off", ESCALATION: "off" })).not.toThrow();
    expect(() => readSettings({}, { [name]: "on" })).not.toThrow();
  });

  it("never appear in an error with their value, which may be a secret", () => {
    const wrong = { OPENAI_BASE_URL: "sk-secret", TICKET_URL: "secret", ONTOLOGY_URL: "ftp://user:secret@host/" };
    expect(() => readSettings({}, wrong)).toThrow(/^(?!.*secret).*$/s);
  });

  it("don't accept options of another type", () => {
    expect(() => readSettings({ responseCap: null } as never, {})).toThrow(/responseCap/);
    expect(() => readSettings({ maxParallelRequests: true } as never, {})).toThrow(/maxParallelRequests/);
  });

  it("don't accept unknown options", () => {
    expect(() => readSettings({ mailURL: "x" } as never, {})).toThrow(/mailURL/);
  });

  it("all have a description and a variable of their own", () => {
    expect(new Set(SETTINGS.map(({ env }) => env)).size).toBe(SETTINGS.length);
    for (const { env, about } of SETTINGS)
      expect([env, about]).toEqual([expect.stringMatching(/^[A-Z_]+$/), expect.stringMatching(/\.$/)]);
  });
});
