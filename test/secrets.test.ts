import { inspect } from "node:util";
import fc from "fast-check";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { createChatModel, createFeedbackAgent } from "../agents/index.ts";
import { createCustomerSource } from "../src/integrations/customers/create-customer-source.ts";
import { openApplication, readSettings } from "../src/index.ts";
import { describeCause } from "../src/log.ts";
import { quotedName, withoutSecrets } from "../src/secrets.ts";
import { call } from "./cli/command-process.ts";
import { temporaryFolder } from "./support/folder.ts";
import { cpuSeconds } from "./support/cpu-seconds.ts";

/** The error that `work` throws, as an uncaught error is printed, and everything that is logged about it. */
async function told(work: (logger: pino.Logger) => Promise<unknown>): Promise<string> {
  const lines: string[] = [];
  const logger = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const error = await work(logger).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(Error);
  return [inspect(error, { depth: 10 }), JSON.stringify(describeCause(error)), ...lines].join("\n");
}

const SECRET = /hunter2|t0ken|jo[:@%]/;

/** Typical mistakes: a missing letter, no colon, one slash, none, a space, quotes, no scheme, an unencoded character. */
const mistyped = (scheme: string, rest: string): string[] => [
  `${scheme.slice(1)}://jo:hunter2@${rest}`,
  `x${scheme}://jo:hunter2@${rest}`,
  `${scheme}//jo:hunter2@${rest}`,
  `${scheme};//jo:hunter2@${rest}`,
  `"${scheme}://jo:hunter2@${rest}"`,
  `//jo:hunter2@${rest}`,
  `jo:hunter2@${rest}`,
  `${scheme}:\\\\jo:hunter2@${rest}`,
  `${scheme}://jo:hunter2@${rest.replace("/", ":port/")}`,
  `${scheme}://jo:hunter2%zz@${rest.replace("/", ":99999/")}`,
  `${scheme.slice(1)}://jo:hunter2@host`,
];

const CASES = [
  ["CUSTOMER_SOURCE", mistyped("https", "crm.example.com/customers/{id}?key=t0ken")],
  ["CUSTOMER_SOURCE", mistyped("https", "crm.example.com/t0ken/customers.csv")],
  ["CUSTOMER_SOURCE", ["crm.example.com/t0ken", "crm.example.com/customers?key=t0ken", "file://jo:hunter2@host/x.csv"]],
  ["MAIL_URL", mistyped("smtps", "mail.example.com/x?password=t0ken")],
  ["MAIL_URL", ["outbox:smtp://jo:hunter2@host", "outbox://jo:hunter2@host", "file://jo:hunter2@host"]],
  ["DATABASE_URL", mistyped("postgres", "db.example.com/abi?password=t0ken")],
  [
    "DATABASE_URL",
    ["postgres://jo:hunter2#x@db/abi", "postgres://jo:hunter2 x@/abi", "postgres://jo:hunter2@db:99999/abi"],
  ],
  ["ONTOLOGY_URL", mistyped("https", "graph.example.com/sparql?key=t0ken")],
  ["TICKET_URL", mistyped("https", "tickets.example.com/new?key=t0ken")],
  ["OPENAI_BASE_URL", mistyped("https", "llm.example.com/v1?key=t0ken")],
  ["ABI_DATA_DIRECTORY", ["postgres://jo:hunter2@db/abi", "https//jo:hunter2@db/abi"]],
  ["MAIL_TEMPLATES", ["https://jo:hunter2@host/templates"]],
] as const;

describe("a mistyped setting", () => {
  it.each(CASES.flatMap(([env, values]) => values.map((value) => [env, value] as const)))(
    "is refused without revealing its password or token: %s=%s",
    async (env, value) => {
      const folder = temporaryFolder();
      const text = await told(async (logger) => {
        const settings = readSettings({}, { ABI_DATA_DIRECTORY: folder, ANALYZER: "chat-model", [env]: value });
        const application = await openApplication(settings, logger);
        await application.close();
        // Some mistakes are noticed only by the other side.
        throw new Error("opened");
      });
      expect(text).not.toMatch(SECRET);
    },
  );

  it("leads to an error that names a missing file if that is a plain name", async () => {
    const open = openApplication(
      readSettings({ dataDirectory: temporaryFolder(), customerSource: "data/none.csv" }, {}),
    );
    await expect(open).rejects.toThrow("There is no file none.csv.");
  });
});

it.each(mistyped("https", "crm.example.com/t0ken/customers.csv?key=t0ken"))(
  "a customer source %s in code fails without revealing its secrets",
  async (location) => {
    const request = { includeTransactions: false, includeInteractions: false };
    const text = await told(async () => {
      for await (const _ of createCustomerSource(location, { retries: 0 }).list(request)) void _;
      throw new Error("listed");
    });
    expect(text).not.toMatch(SECRET);
  },
);

it("a model service whose URL has a password fails without revealing it", async () => {
  const model = await createChatModel({ openaiBaseUrl: "http://jo:hunter2@127.0.0.1:9/v1?key=t0ken" });
  const agent = await createFeedbackAgent({ tools: [], model });
  const error = await agent.ask("Hello").catch((error: unknown) => error);
  await agent.close();
  expect(error).toBeInstanceOf(Error);
  expect(`${(error as Error).message} ${JSON.stringify(describeCause(error))}`).not.toMatch(SECRET);
});

it("import-customers from a mistyped URL says what is wrong without revealing the password", async () => {
  const url = "htps://jo:hunter2@crm.example.com/customers?key=t0ken";
  const { code, stdout, stderr } = await call(["import-customers", url], { cwd: temporaryFolder() });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain("http:// or https://");
  expect(stderr).not.toMatch(SECRET);
});

describe("withoutSecrets", () => {
  it.each([
    [
      "Request cannot be constructed from a URL that includes credentials: http://jo:hunter2@llm/v1",
      "http://[hidden]@llm/v1",
    ],
    ["connect postgres://jo:hun/ter2@x@db:5432/abi failed", "postgres://[hidden]@db:5432/abi failed"],
    ["GET https://crm.example.com/c?key=t0ken&x=1 answered 500", "https://crm.example.com/c?[hidden] answered 500"],
    ["stat 'htps:/jo:hunter2@host/x.csv'", "stat 'htps:/[hidden]@host/x.csv'"],
    ["path /c?api_key=t0ken&page=2", "path /c?api_key=[hidden]&page=2"],
    [`https://jo:${"hunter2".repeat(40)}@host`, "https://[hidden]@host"],
  ])("hides the secrets in: %s", (text, expected) => {
    expect(withoutSecrets(text)).toContain(expected);
    expect(withoutSecrets(text)).not.toMatch(SECRET);
    expect(JSON.stringify(describeCause(new Error("outer", { cause: new Error(text) })))).not.toMatch(SECRET);
  });

  it("hides a token with a long name, and takes linear time if it has no value", () => {
    const name = "token".repeat(1000);
    expect(withoutSecrets(`${name}_id=hunter2`)).toBe(`${name}_id=[hidden]`);
    expect(cpuSeconds(() => withoutSecrets(name))).toBeLessThan(1);
  });

  it("leaves text without secrets unchanged", () => {
    for (const text of ["Error: 12:30 at ada", "see https://nodejs.org/api/fs.html", "a:b c@d", "what? no key"]) {
      expect(withoutSecrets(text)).toBe(text);
    }
  });
});

it("quotedName never shows a name with an @, a colon, or a query in it", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "1", "@", ":", "?", "=", ".csv", "/", " ") }), (path) => {
      expect(quotedName(path)).not.toMatch(/[@:?=]/);
    }),
  );
});
