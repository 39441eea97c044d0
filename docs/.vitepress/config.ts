/** The docs site: README, Contributing, Changelog and the pages in docs/. `npm run docs:build` writes it to dist/, beside this file. */
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { defineConfig } from "vitepress";

/** The anchors of GitHub, which the links in the pages use. */
const slugify = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/gu, "-");

const route = (page: string): string => posix.join("/docs", page).replace(/README$/, "");

/** The sidebar is the index: its headings, and the links below each. */
const sidebar = readFileSync(new URL("../README.md", import.meta.url), "utf8")
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    text: section.slice(0, section.indexOf("\n")),
    items: [...section.matchAll(/\[([^\]]+)\]\(([^)#]+)\.md\)/g)].map(([, text = "", page = ""]) => ({
      text,
      link: route(page),
    })),
  }));

interface Token {
  type: string;
  children?: Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

/** Links to a README lead to the page that it becomes; files of the repository that are no pages are named, not linked. */
function adaptLinks(tokens: readonly Token[]): void {
  let unlinked = false;
  for (const token of tokens) {
    if (token.type === "link_open") {
      const href = token.attrGet("href") ?? "";
      unlinked = !/^(?:https?:|#)/.test(href) && !/\.md(?:#|$)/.test(href);
      token.attrSet("href", href.replace(/README\.md(?=#|$)/, "index.md"));
    }
    if (unlinked && /^link_(?:open|close)$/.test(token.type)) {
      unlinked = token.type === "link_open";
      token.type = "text";
    }
    adaptLinks(token.children ?? []);
  }
}

export default defineConfig({
  title: "abi-workflows",
  description: "Business workflows as LangChain.js tools",
  srcDir: "..",
  srcExclude: ["!(docs)/*/**"],
  ignoreDeadLinks: "localhostLinks",
  rewrites: { "README.md": "index.md", "docs/README.md": "docs/index.md" },
  vite: {
    plugins: [
      {
        // Vite looks for Vue beside the pages, where it isn't; what they are rendered with runs in this folder, where it is.
        name: "vue-of-this-folder",
        enforce: "pre",
        resolveId: (source, _, { ssr }) =>
          ssr && /^vue(?:\/|$)/.test(source) ? { id: source, external: true } : undefined,
      },
    ],
  },
  markdown: {
    anchor: { slugify },
    config: (markdown) =>
      void markdown.core.ruler.push("adapt-links", ({ tokens }: { tokens: Token[] }) => adaptLinks(tokens)),
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Documentation", link: "/docs/" },
      { text: "API", link: "/api/", target: "_self" },
    ],
    sidebar,
  },
});
