import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * A package at its first use, for functions that can't wait for an `import()`: who never comes there does not pay for loading it.
 * @example const { compile } = requirePackage("html-to-text") as typeof HtmlToText;
 */
export const requirePackage = (name: string): unknown => require(name);
