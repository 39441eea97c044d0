/**
 * An email's HTML, drawn in a frame in which nothing runs. It is rebuilt, element by element, from
 * the elements that emails need. Nothing is loaded from anywhere, and links lead nowhere.
 */
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.ts";

const ELEMENTS = new Set(
  "a abbr b bdi blockquote br caption center code div em font h1 h2 h3 h4 h5 h6 hr i li ol p pre s small span strong sub sup table tbody td tfoot th thead tr u ul".split(
    " ",
  ),
);
const ATTRIBUTES = [
  "align",
  "bgcolor",
  "border",
  "cellpadding",
  "cellspacing",
  "class",
  "colspan",
  "dir",
  "height",
  "lang",
  "role",
  "rowspan",
  "title",
  "valign",
  "width",
];
/** Elements whose content is not text to read. */
const SILENT = new Set(["script", "style", "title", "noscript", "template", "iframe", "object", "svg", "math"]);

interface TrustedTypes {
  createPolicy(name: string, rules: { createHTML: (text: string) => string }): { createHTML(text: string): unknown };
}

const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
/** Only for the parser, in whose documents nothing is loaded or run. */
const policy = trustedTypes?.createPolicy("mail", { createHTML: (text) => text });

const parse = (text: string): Document =>
  new DOMParser().parseFromString((policy?.createHTML(text) ?? text) as string, "text/html");

const STYLE = "data-style";

/**
 * Takes style sheets out of the HTML, and renames inline styles: under the name `style`,
 * browsers would report each of them as forbidden by the page's policy.
 */
function withoutStyles(text: string): { markup: string; styles: string[] } {
  const styles: string[] = [];
  const markup = text
    .replaceAll(/<style\b[^>]*>([\s\S]*?)<\/style\s*>/gi, (_all, style: string) => {
      styles.push(style);
      return "";
    })
    .replaceAll(/<[a-z][^<>]*>/gi, (tag) => tag.replace(/\sstyle(?=\s*=)/i, ` ${STYLE}`));
  return { markup, styles };
}

/**
 * Removes what would load something. The page's policy is not enough: it allows images from this
 * service.
 */
function removeLoads(style: CSSStyleDeclaration): void {
  // A copy, because the list gets shorter as names are removed.
  const names = [...style];
  for (const name of names) {
    if (/\b(?:url|image|image-set|src)\(/i.test(style.getPropertyValue(name))) style.removeProperty(name);
  }
}

function cleanRules(rules: CSSRuleList): void {
  for (const rule of rules) {
    const { style, cssRules } = rule as Partial<CSSStyleRule>;
    if (style) removeLoads(style);
    if (cssRules) cleanRules(cssRules);
  }
}

/** Copies the allowed part of a node's content. */
function copyInto(target: Element, source: Node): void {
  const { ownerDocument } = target;
  for (const child of source.childNodes) {
    if (child instanceof Text) target.append(ownerDocument.createTextNode(child.data));
    if (!(child instanceof Element)) continue;
    const name = child.localName;
    if (SILENT.has(name)) continue;
    if (!ELEMENTS.has(name)) {
      copyInto(target, child);
      continue;
    }
    const copy = ownerDocument.createElement(name);
    for (const attribute of ATTRIBUTES) {
      const value = child.getAttribute(attribute);
      if (value !== null) copy.setAttribute(attribute, value);
    }
    // The page's policy allows this, but not a `style` attribute.
    copy.style.cssText = child.getAttribute(STYLE) ?? "";
    removeLoads(copy.style);
    const address = name === "a" ? child.getAttribute("href") : null;
    if (address !== null) copy.title = address;
    copyInto(copy, child);
    target.append(copy);
  }
}

function show(frame: HTMLIFrameElement, text: string): void {
  const { contentDocument: page, contentWindow: view } = frame;
  if (!page || !view) return;
  const { markup, styles } = withoutStyles(text);
  const mail = parse(markup);
  const { CSSStyleSheet: Sheet } = view as Window & typeof globalThis;
  const sheets = styles.map((style) => {
    const sheet = new Sheet();
    sheet.replaceSync(style);
    cleanRules(sheet.cssRules);
    return sheet;
  });
  page.adoptedStyleSheets = sheets;
  page.body.replaceChildren();
  page.body.style.cssText = `margin: 0; overflow-wrap: anywhere; ${mail.body.getAttribute(STYLE) ?? ""}`;
  removeLoads(page.body.style);
  copyInto(page.body, mail.body);
  frame.style.height = `${Math.min(page.documentElement.scrollHeight, 4000)}px`;
}

/** The HTML of an email, drawn. */
export function MailFrame({ source, title }: { source: string; title: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  useEffect(() => {
    const { current } = frame;
    if (!current) return undefined;
    const draw = (): void => show(current, source);
    draw();
    // Firefox replaces the frame's empty document when the frame loads, so draw again then.
    current.addEventListener("load", draw);
    return () => current.removeEventListener("load", draw);
  }, [source]);
  // Without scripts, but with our own origin, so that its document can be built from here.
  return html`<iframe ref=${frame} class="mail-frame" sandbox="allow-same-origin" title=${title}></iframe>`;
}
