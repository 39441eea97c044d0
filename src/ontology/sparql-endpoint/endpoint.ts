import { invalidConfiguration, IoError, ValidationError, type AbiError } from "../../errors.ts";
import { HttpClient, isWebPage, parseHttpUrl, refusal, type HttpAnswer, type HttpRequest } from "../../http-client.ts";
import { withoutAbsent } from "../../json.ts";
import { DigestAuthentication } from "./digest-authentication.ts";

const NAME = "SPARQL endpoint";

export interface EndpointOptions {
  /** May contain the credentials: `user:password@`. */
  url: string;
  /** Sent as `Authorization: Bearer …`. */
  token?: string;
  /**
   * How user and password are sent. Basic sends them with every request; Digest never sends the
   * password.
   */
  authentication: "basic" | "digest";
  /** Time limit for one attempt, in milliseconds. */
  timeoutMs: number;
  /** How many times a failed request is retried. */
  retries: number;
}

interface EndpointRequest extends Omit<HttpRequest, "url"> {
  /** Added to the URL's own query. */
  parameters?: Readonly<Record<string, string>>;
}

/** One URL of a SPARQL protocol, with its authentication. */
export class Endpoint {
  readonly #url: URL;
  readonly #client: HttpClient;
  readonly #digest: DigestAuthentication | undefined;

  /** @throws ValidationError for options that can't work, and for Digest without a user */
  constructor({ url: location, token, authentication, timeoutMs, retries }: EndpointOptions) {
    const url = parseHttpUrl(location, NAME);
    if (!["basic", "digest"].includes(authentication))
      throw invalidConfiguration(`authentication of the ${NAME} must be basic or digest.`);
    this.#digest = authentication === "digest" ? digestOf(url) : undefined;
    const bare = new URL(url);
    bare.username = "";
    bare.password = "";
    this.#url = bare;
    this.#client = new HttpClient({
      name: NAME,
      url: (this.#digest ? bare : url).href,
      timeoutMs,
      retries,
      inspect,
      ...withoutAbsent({ token }),
    });
  }

  /**
   * Sends a request and returns a successful answer.
   * @throws IoError if the endpoint can't be reached or fails, ValidationError if it refuses the
   *   request, UnexpectedError if it refuses us
   */
  async send({ parameters = {}, ...request }: EndpointRequest): Promise<HttpAnswer> {
    const url = new URL(this.#url);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    const answer = await this.#authenticated({ ...request, url });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw refusalOf(answer.status);
  }

  async #authenticated(request: HttpRequest): Promise<HttpAnswer> {
    const digest = this.#digest;
    if (!digest) return this.#client.send(request);
    const attempt = (): Promise<HttpAnswer> => {
      const authorization = digest.authorize(request.body ? "POST" : "GET", request.url);
      return this.#client.send({
        ...request,
        headers: { ...request.headers, ...withoutAbsent({ authorization }) },
      });
    };
    const answer = await attempt();
    // The request answered no challenge or an outdated one, so the server did nothing: send it
    // again, with the answer to the new challenge.
    return answer.status === 401 && digest.accept(answer.headers.get("www-authenticate")) ? attempt() : answer;
  }
}

function digestOf(url: URL): DigestAuthentication {
  if (url.username === "") {
    throw invalidConfiguration(`Digest authentication needs user:password@ in the URL of the ${NAME}.`);
  }
  try {
    return new DigestAuthentication({
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
    });
  } catch {
    // The text that can't be decoded is a secret, so it isn't even kept as the cause.
    throw invalidConfiguration(
      `The user or password in the URL of the ${NAME} is not percent-encoded: write % as %25.`,
    );
  }
}

/**
 * Checks for errors that Virtuoso reports only in headers, with HTTP 200 and a partial answer. A
 * partial answer is worse than none, so it is refused.
 */
function inspect(headers: Headers): void {
  if (headers.has("x-sparql-maxrows")) {
    throw new ValidationError(
      `The ${NAME} has truncated its answer. Raise its limit for rows (ResultSetMaxRows), or ask for less.`,
      { code: "answer_cut_off" },
    );
  }
  if (headers.has("x-sql-state")) {
    const [reason] = /^[A-Z0-9]{5}/.exec(headers.get("x-sql-message") ?? "") ?? [];
    throw new IoError(`The ${NAME} has stopped its work because of other writers or its time limit.`, {
      code: "broken_off",
      cause: new Error(`Virtuoso ${reason ?? headers.get("x-sql-state")}`),
    });
  }
}

function refusalOf(status: number): AbiError {
  const refused = (message: string, code: string): AbiError => refusal(NAME, status, `The ${NAME} ${message}`, code);
  if (status === 400 || status === 409 || status === 422) {
    return refused(
      `does not accept this request (HTTP ${status}). Check the query's syntax and the functions it uses.`,
      "invalid_sparql",
    );
  }
  if (status === 401 || status === 403) {
    return refused(
      `refuses us (HTTP ${status}). Check user, password or token, the kind of authentication, and that they may read and write.`,
      "access_denied",
    );
  }
  if (status === 413) {
    return refused(
      "finds the request too large (HTTP 413). Raise its limit, and that of a proxy in front of it: 10 MB is enough for every insert.",
      "request_too_large",
    );
  }
  return refused(`gave an unexpected answer (HTTP ${status}). Check its URL.`, "invalid_configuration");
}

/** The error for an answer that doesn't follow the SPARQL protocols, such as a proxy's page. */
export const unreadable = (cause: unknown): IoError =>
  new IoError(
    `The ${NAME} gave an answer that can't be read. Check that its URL is that of a SPARQL endpoint, and that no proxy answers in its place.`,
    {
      code: "unreadable_answer",
      cause,
    },
  );

/**
 * The pages with which Fuseki before 4.5 and Blazegraph confirm an update, whatever the client
 * accepts.
 */
const SUCCESS_PAGE = /<p>\s*Update succeeded\s*<\/p>|COMMIT: totalElapsed=\d+ms, commitTime=\d+, mutationCount=\d+/;

/**
 * Checks that an update was executed. SPARQL doesn't define the answer to an update, so most
 * answers are accepted. But an unknown web page comes from a proxy, and then nothing was done.
 * @throws IoError (`unreadable_answer`)
 */
export function assertWritten({ headers, text }: HttpAnswer): void {
  const isPage =
    /^(?:text\/html|application\/xhtml\+xml)\b/i.test(headers.get("content-type") ?? "") || isWebPage(text);
  if (text.trim() !== "" && isPage && !SUCCESS_PAGE.test(text))
    throw unreadable(new Error("a page in answer to a write"));
}
