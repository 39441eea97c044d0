import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { ValidationError } from "../../../src/errors.ts";
import { MailTemplates } from "../../../src/integrations/email/mail-templates.ts";
import { TEMPLATES } from "./mails.ts";

const DATA = {
  customer_name: "Ada Lovelace",
  reference: "F-1",
  categories: ["product", "pricing"],
  is_priority: false,
};

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "templates-"));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

describe.each(TEMPLATES)("the shipped template %s", (template) => {
  const shipped = new MailTemplates();

  it("shows name, reference and topics, in both parts", () => {
    const { html, text } = shipped.render(template, DATA);
    for (const part of [html, text]) {
      for (const value of ["Ada Lovelace", "F-1", "product and pricing"]) expect(part).toContain(value);
      expect(part).not.toContain("{{");
    }
  });

  it("says more to priority customers", () => {
    expect(shipped.render(template, DATA).text).not.toContain("priority");
    expect(shipped.render(template, { ...DATA, is_priority: true }).text).toMatch(/priority customer/);
  });

  it("loads nothing external and runs no script", () => {
    const { html } = shipped.render(template, DATA);
    expect(html).not.toMatch(/\b(?:src|href)\s*=|https?:|url\(|@import|<script|<link|<img/i);
  });

  it("names its language, marks layout tables as such and supports dark mode", () => {
    const { html } = shipped.render(template, DATA);
    expect(html).toMatch(/^<!doctype html>\s*<html lang="en"/);
    expect(html.match(/<table/g)).toHaveLength(html.match(/<table\s+role="presentation"/g)?.length ?? 0);
    expect(html).toContain('<meta name="color-scheme" content="light dark" />');
    expect(html).toContain("@media (prefers-color-scheme: dark)");
    expect(html).toContain("max-width: 600px");
  });

  it("reads well as plain text: no tags, no preview line, no long lines, one paragraph after another", () => {
    const { html, text } = shipped.render(template, { ...DATA, is_priority: true });
    const preheader = /class="preheader"[^>]*>([^<]+)</.exec(html)?.[1]?.trim() ?? "";
    expect(preheader.length).toBeGreaterThan(10);
    expect(text).not.toContain(preheader);
    expect(text).not.toMatch(/<|&[a-z#0-9]+;/);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(76);
    const heading = /<h1[^>]*>([^<]+)</.exec(html)?.[1]?.trim() ?? "";
    expect(text.split("\n", 1)).toEqual([heading]);
    expect(text).toMatch(/\n\nHello Ada Lovelace,\n\n/);
    expect(text).toMatch(/\n\nReference: F-1\n/);
  });

  it.each([
    "null",
    "None",
    "undefined",
    "N/A",
    "-",
    "?",
    "unknown",
    " Unknown ",
    "ada@example.org",
    "Ada <ada@example.org>",
    "Ada\u202Eecalevol",
    "A\u200Bda",
    "\u200FAda",
    "\u2800",
    "You won! https://evil.example/prize",
    "Claim it at evil.example",
  ])("greets nobody by a text that is not a name: %j", (customer_name) => {
    expect(shipped.render(template, { ...DATA, customer_name }).text).toMatch(/\n\nHello,\n\n/);
  });

  it.each(["Ana Null", "O'Neill-Unknown", "李", "علی\u200Cرضا", "Ada 2nd"])(
    "greets by the name %j",
    (customer_name) => {
      expect(shipped.render(template, { ...DATA, customer_name }).text).toContain(`\n\nHello ${customer_name},\n\n`);
    },
  );

  it("escapes every value and never parses one as a template", () => {
    const hostile = `<script>alert("1")</script> & {{feedback_id}} {{{is_priority}}} {{> content}} '`;
    const { html, text } = shipped.render(template, {
      ...DATA,
      customer_name: hostile,
      reference: `<b>${hostile}`,
      categories: [hostile],
    });
    expect(html).not.toMatch(/<script|<b>/);
    expect(html.match(/&lt;script&gt;alert\(&quot;1&quot;\)/g)).toHaveLength(3);
    expect(html.match(/\{\{feedback_id\}\}/g)).toHaveLength(3);
    expect(text.replaceAll(/\s+/g, " ")).toContain(`Hello ${hostile},`);
  });
});

describe("MailTemplates", () => {
  it("adds no tag that the template did not have, whatever the value", () => {
    const templates = new MailTemplates(folderOf({ "a.html": "<p>{{x}}</p><i title='{{x}}'>{{things_text}}</i>" }));
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("<", ">", "&", '"', "'", "{", "}", "`", "=", "/", "a", "\0", "\uD800") }),
        (x) => {
          const { html } = templates.render("a.html", { x, things: [x, x] });
          expect(html.match(/[<>]/g)?.join("")).toBe("<><><><>");
          expect(html.match(/['"]/g)?.join("")).toBe("''");
          expect(html.isWellFormed()).toBe(true);
          expect(html).not.toContain("\0");
        },
      ),
    );
  });

  it("leaves only styling out of the text", () => {
    const frame = `<html><head><title>t</title><style>p { color: red }</style></head><body style="margin: 0">
      <!-- a note --> <!-- {{#shown}} --><p>in a comment's section</p><!-- {{/shown}} -->
      {{> content}} a < b style="kept" > c</body></html>`;
    const content = `<table width="100%" style="width: 100%"><tr><td align="center">{{said}}</td></tr></table>
      <ol start="3" style="margin: 0"><li role="listitem">one</li></ol><a style="color: red" href="/there">link</a>`;
    const templates = new MailTemplates(folderOf({ "a.html": content, "_frame.html": frame }));
    const said = `width="1" style="x" <!-- not a comment -->`;
    const text = 'link [/there] a < b style="kept" > c\n';
    expect(templates.render("a.html", { said, shown: false }).text).toBe(`${said}\n\n 3. one\n\n${text}`);
    expect(templates.render("a.html", { said, shown: true }).text).toBe(
      `in a comment's section\n\n${said}\n\n 3. one\n\n${text}`,
    );
  });

  it("names the known templates in the error for an unknown one", () => {
    const templates = new MailTemplates();
    for (const unknown of ["nothing.html", "_frame.html", "../mail-templates.ts", "__proto__"]) {
      expect(() => templates.render(unknown, DATA)).toThrow(
        expect.objectContaining({
          code: "unknown_template",
          message: expect.stringContaining([...TEMPLATES].sort().join(", ")),
        }),
      );
    }
  });

  it("refuses to write an email with missing values, and names them", () => {
    const { customer_name: _name, categories: _categories, ...rest } = DATA;
    expect(() => new MailTemplates().render("neutral_feedback_response.html", rest)).toThrow(
      expect.objectContaining({
        code: "incomplete_template_data",
        message: expect.stringMatching(/categories_text, customer_name/),
      }),
    );
  });

  it("uses a configured folder, with or without a frame", () => {
    const content = "<p>{{#things}}[{{.}}]{{/things}}{{^things}}none{{/things}} {{feedback_text}}</p>";
    const data = { things: ["a", "b"], feedback_text: "said" };
    expect(new MailTemplates(folderOf({ "a.html": content })).render("a.html", data).html).toBe("<p>[a][b] said</p>");
    const framed = new MailTemplates(folderOf({ "a.html": content, "_frame.html": "<b>{{> content}}</b>" }));
    expect(framed.render("a.html", { ...data, things: [] }).html).toBe("<b><p>none said</p></b>");
  });

  it("puts the content wherever its frame has it, in a section and twice, and no other partial", () => {
    const frame = "{{> content}}{{> _frame}}{{#things}}<p>{{.}}: {{> content}}</p>{{/things}}";
    const templates = new MailTemplates(folderOf({ "a.html": "<i>{{said}}</i>{{> content}}", "_frame.html": frame }));
    const { html } = templates.render("a.html", { said: "so", things: ["one", "two"] });
    expect(html).toBe("<i>so</i><p>one: <i>so</i></p><p>two: <i>so</i></p>");
  });

  it("keeps the lines of preformatted words in the text", () => {
    const templates = new MailTemplates(
      folderOf({ "a.html": "<p>As it\n stands:</p>\n<pre>one\n  two {{said}}</pre>" }),
    );
    expect(templates.render("a.html", { said: "a\n  b" }).text).toBe("As it stands:\n\none\n  two a\n  b\n");
  });

  it("leaves out indentation, but not where a reader would see it", () => {
    const indented = "<p>\n    one\n\ttwo\n</p>";
    const htmlOf = (content: string, frame = "{{> content}}"): string =>
      new MailTemplates(folderOf({ "a.html": content, "_frame.html": frame })).render("a.html", {}).html;
    expect(htmlOf(indented)).toBe("<p>\none\ntwo\n</p>");
    expect(htmlOf(indented, "<div>\n  {{> content}}</div>")).toBe("<div>\n<p>\none\ntwo\n</p></div>");
    for (const shown of [
      `<textarea>${indented}</textarea>`,
      `<pre class="x">${indented}</pre>`,
      `<style>p { white-space : pre }</style>${indented}`,
    ]) {
      expect(htmlOf(shown)).toBe(shown);
      expect(htmlOf(indented, shown.replace(indented, "{{> content}}"))).toBe(shown);
    }
  });

  it.each([
    ["does not exist", () => join(folderOf({}), "nowhere")],
    ["is empty", () => folderOf({})],
    ["holds a template that does not parse", () => folderOf({ "a.html": "{{#open}}" })],
    ["holds a template that goes round the escaping", () => folderOf({ "a.html": "{{#x}}{{{name}}}{{/x}}" })],
    ["holds a template that goes round it the other way", () => folderOf({ "a.html": "{{&name}}" })],
  ])("refuses a folder that %s, at construction", (_what, folder) => {
    expect(() => new MailTemplates(folder())).toThrow(ValidationError);
    expect(() => new MailTemplates(folder())).toThrow(expect.objectContaining({ code: "invalid_configuration" }));
  });
});
