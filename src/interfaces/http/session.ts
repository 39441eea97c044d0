/**
 * Sessions of people in a browser. A session is a cookie that proves that someone signed in with a
 * token. The service stores no sessions: a session survives a restart as long as the key stays the
 * same. It ends when its token becomes invalid, and after 12 hours at the latest. The token can't
 * be read from the cookie, and nobody can make a cookie from a token's hash without the key.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { getCookie } from "hono/cookie";
import { z } from "zod";
import { ValidationError } from "../../errors.ts";
import { SCOPES } from "../../framework/operation.ts";
import { parse } from "../../framework/validation.ts";
import { jsonBody } from "./body.ts";
import type { HttpContext, Route } from "./route.ts";
import { json } from "./workflow-router.ts";
import type { Caller, TokenSource } from "./tokens.ts";

const COOKIE = "abi_session";
const LIFETIME_SECONDS = 12 * 60 * 60;

/** Options for sessions. */
export interface SessionOptions {
  tokens: TokenSource;
  bodyTimeoutMs: number;
  /** The secret that signs sessions. */
  key: Uint8Array;
}

const SignIn = z.strictObject({ token: z.string().min(1, "must not be empty").max(1000).describe("The token.") });

const SessionSchema = z.object({
  name: z.string().describe("The name under which this person's decisions are recorded."),
  scopes: z.array(z.enum(SCOPES)),
});

const proof = (key: Uint8Array, hash: Buffer, expires: number): Buffer =>
  createHmac("sha256", key).update(hash).update(`abi-workflows session until ${expires}`).digest();

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/**
 * The caller of a session; undefined if there is none. Only for requests from our own pages,
 * because old browsers also send cookies with other sites' requests.
 */
export async function sessionCaller(
  context: HttpContext,
  { tokens, key }: SessionOptions,
): Promise<Caller | undefined> {
  if (!isFromOwnPage(context.req.raw)) return undefined;
  const [expires, given] = readCookie(getCookie(context, COOKIE));
  const left = expires - nowSeconds();
  if (given === undefined || left <= 0 || left > LIFETIME_SECONDS) return undefined;
  return tokens.find((hash) => timingSafeEqual(proof(key, hash, expires), given));
}

function readCookie(value: string | undefined): [expires: number, proof?: Buffer] {
  const [, expires, given] = /^(\d{1,12})\.([\w-]{43})$/.exec(value ?? "") ?? [];
  return given === undefined ? [0] : [Number(expires), Buffer.from(given, "base64url")];
}

/** Browsers declare which site's page sent a request, and pages can't change that. */
function isFromOwnPage({ headers, method, url }: Request): boolean {
  const site = headers.get("sec-fetch-site");
  // Browsers leave this header out over plain HTTP, unless the host is their own machine.
  if (site !== null) return site === "same-origin";
  const origin = headers.get("origin");
  if (origin === null) return method === "GET" || method === "HEAD";
  return URL.parse(origin)?.host === (headers.get("host") ?? new URL(url).host).toLowerCase();
}

/** The routes for signing in and out. */
export function sessionRoutes(options: SessionOptions): Route[] {
  const { tokens, bodyTimeoutMs, key } = options;
  const view = ({ name, scopes }: Caller): object => ({ name, scopes: [...scopes] });
  const answers = { 200: { description: "Who you are.", types: { "application/json": SessionSchema } } };
  const base = { path: "/session", tag: "session", access: "public", operations: [], answers } as const;
  return [
    {
      ...base,
      method: "GET",
      id: "get-session",
      summary: "Show who is signed in",
      description: "For the console's pages. Programs send their token with each request instead.",
      errors: [401],
      handle: async (context) => {
        const caller = await sessionCaller(context, options);
        if (caller) return json(view(caller));
        throw new ValidationError("Nobody is signed in. Sign in with a token.", { code: "token_missing" });
      },
    },
    {
      ...base,
      method: "POST",
      id: "sign-in",
      summary: "Sign in",
      description:
        `Sets a cookie for ${LIFETIME_SECONDS / 3600} hours, which only pages of this service can use. It ` +
        "becomes invalid when its token does.",
      body: { description: "A token.", types: { "application/json": SignIn }, required: true },
      errors: [401],
      handle: async (context) => {
        const { token } = parse(SignIn, await jsonBody(context.req.raw, { timeoutMs: bodyTimeoutMs }));
        const expires = nowSeconds() + LIFETIME_SECONDS;
        let made: Buffer | undefined;
        const caller = await tokens.verify(token, (hash) => (made = proof(key, hash, expires)));
        if (!caller || !made) throw new ValidationError("This token is not known.", { code: "token_invalid" });
        return json(view(caller), 200, {
          "set-cookie": cookie(`${expires}.${made.toString("base64url")}`, LIFETIME_SECONDS, context),
        });
      },
    },
    {
      ...base,
      method: "POST",
      path: "/session/end",
      id: "sign-out",
      summary: "Sign out",
      answers: { 204: { description: "Signed out.", types: {} } },
      handle: (context) => new Response(null, { status: 204, headers: { "set-cookie": cookie("", 0, context) } }),
    },
  ];
}

function cookie(value: string, seconds: number, { req }: HttpContext): string {
  // The browser's origin shows whether it uses TLS, even if a proxy in front of us terminates it.
  const isSecure = req.header("origin")?.startsWith("https:") || new URL(req.url).protocol === "https:";
  const attributes = ["Path=/", `Max-Age=${seconds}`, "HttpOnly", "SameSite=Strict", ...(isSecure ? ["Secure"] : [])];
  return [`${COOKIE}=${value}`, ...attributes].join("; ");
}
