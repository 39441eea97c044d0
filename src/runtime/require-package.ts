import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * Loads a package at its first use, for functions that can't wait for an `import()`. Programs that
 * never use the package don't load it.
 * @example const { compile } = requirePackage("html-to-text") as typeof HtmlToText;
 */
export const requirePackage = (name: string): unknown => require(name);
