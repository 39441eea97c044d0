import { ValidationError } from "../../errors.ts";
import { parseHttpUrl } from "../../http-client.ts";

const PLACEHOLDER = /\{([^{}]*)\}/g;

/**
 * A URL with placeholders:
 * `https://crm.example.com/customers/{id}?interactions={include_interactions}`. Values are encoded,
 * so they can't change the path, the query or the server.
 */
export class UrlTemplate {
  readonly #template: string;

  /**
   * @param known the allowed placeholders; the first one is required
   * @throws ValidationError if the template is not an http(s) URL, lacks the required placeholder
   *   in its path and query, has an unknown one, or has any in its server's name
   */
  constructor(template: string, known: readonly [string, ...string[]]) {
    parseHttpUrl(template.replaceAll(PLACEHOLDER, "x"), "customer source");
    const names = [...template.matchAll(PLACEHOLDER)].map(([, name]) => name ?? "");
    const server = /^[^/]*\/\/[^/?#]*/.exec(template)?.[0] ?? "";
    const [required] = known;
    // A fragment is not sent.
    const isSent = template.split("#", 1)[0]!.includes(`{${required}}`);
    if (!isSent || names.some((name) => !known.includes(name)) || server.includes("{")) {
      throw new ValidationError(
        `The URL of the customer source must contain {${required}} in its path or query, as in ` +
          `https://crm.example.com/customers/{${required}}, and no placeholders other than ${known.map((name) => `{${name}}`).join(", ")}.`,
        { code: "invalid_configuration" },
      );
    }
    this.#template = template;
  }

  /**
   * The URL with these values; undefined if it can't contain them. It can't contain lone
   * surrogates, nor `.` or `..` as a whole path segment, which would change the path even if
   * encoded (WHATWG URL 4.4).
   */
  expand(values: Readonly<Record<string, string>>): URL | undefined {
    if (!Object.values(values).every((value) => value.isWellFormed())) return undefined;
    const text = this.#template.replaceAll(PLACEHOLDER, (_, name: string) => encodeURIComponent(values[name] ?? ""));
    const path = text.split(/[?#]/, 1)[0] ?? "";
    const segments = path.split("/");
    const climbs = segments.some((segment, at) => /^\.\.?$/.test(segment) && this.#template.split("/")[at] !== segment);
    return climbs ? undefined : new URL(text);
  }
}
