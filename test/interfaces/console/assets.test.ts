import { win32 } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { assets, modulePaths, packageFolder } from "../../../src/interfaces/console/assets.ts";
import { consolePages } from "../../../src/interfaces/console/console-pages.ts";

const pages = consolePages({ categories: ["product", "general"] });
const get = (path: string, headers: Record<string, string> = {}) =>
  pages(new Request(`http://127.0.0.1${path}`, { headers }));

/** The bytes that are sent. */
const LARGEST = 150_000;

describe("the files of the console", () => {
  it("are at most 150 kB in total when they are sent", async () => {
    const { files } = await assets();
    const sent = await Promise.all([...files.values()].map((file) => file.compressed()));
    expect(sent.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(LARGEST);
  });

  it("are complete: every import leads to one of them", async () => {
    const { files } = await assets();
    const missing = [...files].flatMap(([path, { body }]) =>
      [...body.toString().matchAll(/(?:^|[;}])\s*(?:import|export)(?:[\w\s{},*$]*?from)?\s*["']([^"']+)["']/gm)]
        .map(([, name]) => name!)
        .filter(
          (name) =>
            !files.has(
              name.startsWith(".")
                ? new URL(name, `http://x/${path}`).pathname.slice(1)
                : (modulePaths.get(name) ?? ""),
            ),
        )
        .map((name) => `${path} imports ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it("are found on Windows as well", () => {
    const folder = String.raw`C:\app\node_modules\@preact\signals`;
    expect(packageFolder(String.raw`${folder}\dist\signals.js`, "@preact/signals", win32)).toBe(folder);
  });

  it("use every variable that the styles define", async () => {
    const styles = (await assets()).files.get("client/style.css")!.body.toString();
    const defined = [...styles.matchAll(/(--[\w-]+):/g)].map(([, name]) => name!);
    expect(defined.length).toBeGreaterThan(20);
    expect(defined.filter((name) => !styles.includes(`var(${name})`))).toEqual([]);
  });

  it("contain no types any more, and no address of another site", async () => {
    const { files } = await assets();
    const bad = [...files].filter(
      ([path, { body }]) =>
        path.startsWith("client/") &&
        /\binterface [A-Z]|https?:\/\/(?!example\.org|www\.w3\.org)/.test(body.toString()),
    );
    expect(bad.map(([path]) => path)).toEqual([]);
  });

  it("can be cached forever under their version's name, and are compressed if the browser accepts that", async () => {
    const { version } = await assets();
    const path = `/console/assets/${version}/client/style.css`;
    const plain = (await get(path))!;
    expect(plain.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    const compressed = (await get(path, { "accept-encoding": "gzip, br" }))!;
    expect(compressed.headers.get("content-encoding")).toBe("br");
    expect(brotliDecompressSync(Buffer.from(await compressed.arrayBuffer())).toString()).toBe(await plain.text());
    const old = (await get("/console/assets/earlier/client/style.css"))!;
    expect([old.status, old.headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect((await get("/console/assets/x/../../../../package.json"))?.status ?? 404).toBe(404);
  });

  it("come with a policy that allows nothing inline and nothing from other sites", async () => {
    const page = (await get("/console/feedback/F-1"))!;
    const policy = page.headers.get("content-security-policy")!;
    expect(policy).toContain("default-src 'none'");
    expect(policy.split("; ").slice(-2)).toEqual(["require-trusted-types-for 'script'", "trusted-types mail"]);
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect((await page.text()).match(/<script(?![^>]*\bsrc=)[^>]*>/g)).toEqual(['<script type="importmap">']);
  });

  it("contain the categories that people can choose", async () => {
    expect(await (await get("/console/"))!.text()).toContain('<meta name="categories" content="product general">');
  });

  it("start at the root, and hide no route of the API", async () => {
    expect((await get("/"))!.headers.get("location")).toBe("/console/");
    expect(await get("/approvals", { accept: "application/json" })).toBeUndefined();
    const followed = (await get("/approvals/workflow-1", { accept: "text/html,*/*;q=0.8" }))!;
    expect(followed.headers.get("location")).toBe("/console/approvals/workflow-1");
    expect(await get("/runs")).toBeUndefined();
  });
});
