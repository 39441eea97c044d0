/**
 * n3 in two parts: its terms, which every module needs, and everything else (parsers, stores,
 * writers), which depends on streams and is loaded at its first use.
 */
import { createRequire } from "node:module";
import type * as N3 from "n3";

const require = createRequire(import.meta.url);

/** Makes RDF/JS terms and quads. */
export const { default: DataFactory } = require("n3/lib/N3DataFactory.js") as {
  default: typeof N3.DataFactory;
};

/** All of n3. */
export const n3 = (): typeof N3 => require("n3") as typeof N3;
