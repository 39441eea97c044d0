/** The files of the console: our client modules and styles, and what they import from packages. */
import { createHash } from "node:crypto";

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path, { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

/** A file as browsers get it. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  /** The body, compressed with Brotli at the first call. */
  compressed(): Promise<Buffer>;
}

/** All files, by path. */
export interface Assets {
  readonly files: ReadonlyMap<string, Asset>;
  /** Changes when any file changes. */
  readonly version: string;
}

const CLIENT = fileURLToPath(new URL("client/", import.meta.url));

/** `.ts` in a checkout; `.js` in the package, which has what `tsc` makes of the modules. */
export const CLIENT_EXTENSION = extname(fileURLToPath(import.meta.url));

/** The modules that the client imports from packages, by the name in the import. */
const MODULES: Readonly<Record<string, readonly [packageName: string, file: string]>> = {
  preact: ["preact", "dist/preact.mjs"],
  "preact/hooks": ["preact", "hooks/dist/hooks.mjs"],
  htm: ["htm", "dist/htm.module.js"],
  "@preact/signals": ["@preact/signals", "dist/signals.module.js"],
  "@preact/signals-core": ["@preact/signals-core", "dist/signals-core.module.js"],
  "diff/lib/diff/word.js": ["diff", "libesm/diff/word.js"],
};

/** Files that these modules import by relative paths. */
const BESIDE: readonly (readonly [packageName: string, file: string])[] = [
  ["diff", "libesm/diff/base.js"],
  ["diff", "libesm/util/string.js"],
];

const TYPES: Readonly<Record<string, string>> = {
  ".ts": "text/javascript; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

const vendorPath = (packageName: string, file: string): string => `vendor/${packageName}/${file}`;

/** The paths of the modules from packages, by the name in the import. */
export const modulePaths: ReadonlyMap<string, string> = new Map(
  Object.entries(MODULES).map(([name, [packageName, file]]) => [name, vendorPath(packageName, file)]),
);

let reading: Promise<Assets> | undefined;

/**
 * All files. They are read at the first call, so a service whose console nobody opens pays nothing.
 */
export const assets = (): Promise<Assets> => (reading ??= readAssets());

async function readAssets(): Promise<Assets> {
  const own = process
    .getBuiltinModule("node:fs")
    .globSync(`**/*{${CLIENT_EXTENSION},.css,.svg}`, { cwd: CLIENT })
    .toSorted();
  const packages = [...Object.values(MODULES), ...BESIDE];
  const files = await Promise.all([
    ...own.map(
      async (file) => [`client/${file.replaceAll(path.sep, "/")}`, await toAsset(join(CLIENT, file))] as const,
    ),
    ...packages.map(async ([name, file]) => [vendorPath(name, file), await toAsset(fileOf(name, file))] as const),
  ]);
  const hash = createHash("sha256");
  for (const [name, { body }] of files) hash.update(name).update(body);
  return { files: new Map(files), version: hash.digest("base64url").slice(0, 12) };
}

// A package need not export its own package.json, so resolve its main module instead.
const fileOf = (packageName: string, file: string): string =>
  join(packageFolder(createRequire(import.meta.url).resolve(packageName), packageName), file);

/**
 * The folder of a package.
 * @param module path of a module in it
 * @param system how that path is written; default: as on this system
 */
export function packageFolder(module: string, packageName: string, system = path): string {
  const folder = system.join(system.sep, "node_modules", packageName);
  const [beginning] = module.split(`${folder}${system.sep}`);
  return `${beginning}${folder}`;
}

const compress = promisify(brotliCompress);

async function toAsset(path: string): Promise<Asset> {
  const text = await readFile(path, "utf8");
  const extension = extname(path);
  const body = Buffer.from(extension === ".ts" ? await withoutTypes(text) : withoutSourceMap(text));
  let compressed: Promise<Buffer> | undefined;
  return {
    type: TYPES[extension] ?? "application/octet-stream",
    body,
    compressed: () => (compressed ??= compress(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } })),
  };
}

/** Only in a checkout, where the package `amaro` is installed. */
async function withoutTypes(code: string): Promise<string> {
  const { transformSync } = await import("amaro");
  return transformSync(code, { mode: "strip-only" }).code;
}

/** Removes the link to the source map, because the map is not served. */
const withoutSourceMap = (code: string): string => code.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, "\n");
