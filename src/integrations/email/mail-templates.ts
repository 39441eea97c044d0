import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type * as HtmlToText from "html-to-text";
import mustache from "mustache";
import { ValidationError } from "../../errors.ts";
import { requirePackage } from "../../runtime/require-package.ts";
import { isVisible } from "../../visible-text.ts";
import { containsLink } from "./link-detection.ts";

/**
 * Values of a template by name. For a list `things`, there is also `things_text`: "one, two and
 * three". A text without visible characters counts as empty, so a section `{{#name}}` is left out.
 */
export type TemplateData = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** A parsed template in its frame. */
interface Template {
  html: Tokens;
  /** The template for the plain text. */
  plain: Tokens;
  /** The names of the values that it shows or tests. */
  names: readonly string[];
}

export interface RenderedMail {
  html: string;
  text: string;
}

type Tokens = ReturnType<typeof mustache.parse>;

const SHIPPED_TEMPLATES = new URL("templates/", import.meta.url);

// Saved once, because `mustache.escape` is a global that anyone can replace.
const escapeHtml = mustache.escape;

const TEXT_PART: HtmlToText.HtmlToTextOptions = {
  wordwrap: 76,
  selectors: [
    { selector: ".preheader", format: "skip" },
    { selector: "h1", options: { uppercase: false } },
  ],
};

let convert: ReturnType<typeof HtmlToText.compile> | undefined;
const toText = (html: string): string => {
  convert ??= (requirePackage("html-to-text") as typeof HtmlToText).compile(TEXT_PART);
  return convert(html);
};

const FRAME = "_frame.html";

// Parts of a template that don't appear in the plain text. They don't match if they contain a
// Mustache tag.
const UNREAD_ELEMENTS = /<!--(?:(?!-->|\{\{)[^])*-->|<(head|style)\b(?:(?!<\/\1>|\{\{)[^])*<\/\1>/gi;
const STYLING_ATTRIBUTES = /\s(?:style|role|width|height|align|border|cellpadding|cellspacing)="[^"{}]*"/gi;
const TAG = /<[a-z][^<>]*>/gi;
/** In HTML with any of these, the number of blanks may matter. */
const SHOWS_BLANKS = /<(?:pre|textarea|xmp|listing|plaintext)\b|white-space/i;

/** Indentation is for those who edit a template. Without it, an email is a quarter shorter. */
const withoutIndentation = (template: string): string => template.replaceAll(/\n[ \t]+/g, "\n");

/** Removes what doesn't affect the plain text, so that each email is converted much faster. */
function withoutStyling(template: string): string {
  return template.replaceAll(UNREAD_ELEMENTS, "").replaceAll(TAG, (tag) => tag.replaceAll(STYLING_ATTRIBUTES, ""));
}

const withSingleBlanks = (template: string): string => template.replaceAll(/\s+/g, " ");

const writer = new mustache.Writer();

/**
 * A folder of mail templates in Mustache (https://mustache.github.io/mustache.5.html). Each `.html`
 * file is a template, except `_frame.html`. If that file exists, every template is put into it, at
 * its `{{> content}}`. The constructor reads and checks all files. Values are HTML-escaped and
 * never parsed as templates.
 */
export class MailTemplates {
  readonly #templates = new Map<string, Template>();

  /**
   * @param folder default: the templates of this package
   * @throws ValidationError (`invalid_configuration`) for a folder or a template that can't be used
   */
  constructor(folder: string | URL = SHIPPED_TEMPLATES) {
    const path = typeof folder === "string" ? folder : fileURLToPath(folder);
    const sources = new Map(readTemplates(path));
    for (const [name, source] of sources) checkTemplate(name, source);
    const frame = sources.get(FRAME) ?? "{{> content}}";
    sources.delete(FRAME);
    for (const [name, source] of sources) this.#templates.set(name, toTemplate(frame, source));
  }

  /**
   * Renders the HTML and the plain text of an email.
   * @throws ValidationError for an unknown template (it names the known ones) and for data that
   *   lacks one of the template's values
   */
  render(name: string, data: TemplateData): RenderedMail {
    const template = this.#templates.get(name);
    if (template === undefined) {
      const known = [...this.#templates.keys()].sort().join(", ");
      throw new ValidationError(`There is no mail template "${printable(name)}". Known templates: ${known}.`, {
        code: "unknown_template",
      });
    }
    this.#checkData(name, template, data);
    const view = new mustache.Context(viewOf(data));
    const fill = (tokens: Tokens): string =>
      writer.renderTokens(tokens as unknown as string[][], view, {}, "", { escape: escapeHtml });
    return { html: fill(template.html), text: `${toText(fill(template.plain)).trim()}\n` };
  }

  /** Mustache shows nothing for a missing value, but no email is better than one to "Dear ,". */
  #checkData(name: string, template: Template, data: TemplateData): void {
    const missing = template.names.filter((value) => !isGiven(value, data));
    if (missing.length === 0) return;
    throw new ValidationError(`The mail template "${name}" needs values that were not given: ${missing.join(", ")}.`, {
      code: "incomplete_template_data",
    });
  }
}

/** An email with plain text: line breaks are kept, and nothing in it is interpreted as markup. */
export function plainMail(words: string): RenderedMail {
  const text = `${printable(words).replaceAll(/\r\n?/g, "\n").trim()}\n`;
  const lines = text.trimEnd().split("\n").map(escapeHtml).join("<br />\n");
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8" /><meta name="viewport" content="width=device-width, initial-scale=1" /></head>
<body style="font-family: sans-serif; font-size: 16px; line-height: 1.5"><p dir="auto" style="margin: 0">
${lines}
</p></body>
</html>
`;
  return { html, text };
}

function readTemplates(folder: string): [name: string, source: string][] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(".html"));
    if (names.length === 0) throw new Error("no .html file");
    return names.map((name) => [name, readFileSync(join(folder, name), "utf8")]);
  } catch (cause) {
    throw new ValidationError("The folder of mail templates can't be read or has no .html files.", {
      code: "invalid_configuration",
      cause,
    });
  }
}

function checkTemplate(name: string, source: string): void {
  const fault = (what: string, cause?: unknown) =>
    new ValidationError(`The mail template "${name}" ${what}.`, { code: "invalid_configuration", cause });
  let tokens: Tokens;
  try {
    tokens = mustache.parse(source);
  } catch (cause) {
    throw fault("is not a valid Mustache template", cause);
  }
  for (const [type, value] of flat(tokens)) {
    if (type === "&") throw fault(`inserts "${value}" without escaping it; write {{${value}}}`);
  }
}

function* flat(tokens: Tokens): Generator<[type: string, value: string]> {
  for (const [type, value, , , inner] of tokens) {
    yield [type, value];
    if (Array.isArray(inner)) yield* flat(inner);
  }
}

const isGiven = (name: string, data: TemplateData): boolean =>
  Object.hasOwn(data, name) || (name.endsWith("_text") && Array.isArray(data[name.slice(0, -"_text".length)]));

function toTemplate(frame: string, source: string): Template {
  const [plainFrame, plainSource] = [withoutStyling(frame), withoutStyling(source)];
  // The content may be put into a `<pre>` of the frame.
  const showsBlanks = SHOWS_BLANKS.test(frame) || SHOWS_BLANKS.test(source);
  const html = showsBlanks ? framed(frame, source) : framed(withoutIndentation(frame), withoutIndentation(source));
  return {
    html,
    plain: showsBlanks
      ? framed(plainFrame, plainSource)
      : framed(withSingleBlanks(plainFrame), withSingleBlanks(plainSource)),
    names: [...new Set(namesIn(html))].sort(),
  };
}

/**
 * Puts a template into the frame. Mustache could do this itself (`{{> content}}` is a partial), but
 * it would look up and indent the template again for each email.
 */
function framed(frame: string, source: string): Tokens {
  const content: Tokens = mustache.parse(source);
  const fill = (tokens: Tokens): Tokens =>
    tokens.flatMap((token) => {
      if (token[0] === ">") return token[1] === "content" ? content : [];
      const filled = [...token] as Tokens[number];
      if (Array.isArray(filled[4])) filled[4] = fill(filled[4]);
      return [filled];
    });
  return fill(mustache.parse(frame));
}

/** The names of the values that a template shows or tests. */
function* namesIn(template: Tokens): Generator<string> {
  for (const [type, value] of flat(template)) {
    if ((type === "name" || type === "#" || type === "^") && value !== ".") yield value;
  }
}

function viewOf(data: TemplateData): Record<string, unknown> {
  const view: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(data)) {
    if (name === "customer_name" && typeof value === "string") view[name] = nameOf(value);
    else if (typeof value === "string") view[name] = isVisible(value) ? printable(value).trim() : "";
    else if (typeof value === "object") {
      const items = value.map(printable);
      view[name] = items;
      view[`${name}_text`] = sentence(items);
    } else view[name] = value;
  }
  return view;
}

let sentenceList: Intl.ListFormat | undefined;
/**
 * Joins a list: `one, two and three`. `Intl.ListFormat` is only created when it is first needed,
 * because creating it loads language data and takes as long as starting Node.js.
 */
const sentence = (items: readonly string[]): string =>
  (sentenceList ??= new Intl.ListFormat("en-GB", { type: "conjunction" })).format(items);

/** What programs write if there is no name. */
const NO_NAME = /^(?:null|none|nil|undefined|n\/a|n\.a\.|unknown|unbekannt|inconnu)$/iu;

/**
 * Whether a text can be used as a name in a greeting. It needs a letter. Invisible characters are
 * not allowed, except for joiners between letters, which some writing systems need. Nor are links:
 * spammers sign up with a victim's address and put a link into the name, so that we send the link
 * to the victim.
 */
const isName = (text: string): boolean =>
  /\p{L}/u.test(text) &&
  !NO_NAME.test(text) &&
  !text.includes("@") &&
  !containsLink(text) &&
  !/[\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u.test(
    text.replaceAll(/(?<=[\p{L}\p{M}])[\u200C\u200D](?=\p{L})/gu, ""),
  );

/** The name for the greeting; empty if there is none. */
function nameOf(value: string): string {
  const name = printable(value).trim();
  return isName(name) ? name : "";
}

/**
 * The text as it can be put into an email. ASCII control characters other than tabs and line ends
 * are removed; lone surrogates become U+FFFD.
 */
const printable = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- control characters are what it removes
  text.toWellFormed().replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/g, "");
