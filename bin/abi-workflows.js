#!/usr/bin/env node
// Runs the sources in a checkout, the compiled command in the package. It is plain JavaScript
// without recent features, so that an old Node.js gets as far as the message about its version.
import { existsSync } from "node:fs";
import module from "node:module";

const compiled = new URL("../dist/cli/main.js", import.meta.url);
const sources = new URL("../cli/main.ts", import.meta.url);
const [major, minor] = process.versions.node.split(".").map(Number);

if (major < 22 || (major === 22 && minor < 13)) {
  // In a checkout, the development dependencies include a recent Node.js, which npx then uses.
  const advice = existsSync(sources)
    ? "Try, in the checkout: npm ci && npx abi-workflows"
    : "Try: npx -p node@24 -p abi-workflows abi-workflows";
  process.stderr.write(
    `abi-workflows needs Node.js 22.13 or newer (24 recommended), but this is Node.js ${process.versions.node}. ${advice}\n`,
  );
  process.exitCode = 1;
} else {
  // Compiling modules takes half the time of a short command, so compiled code is kept for the next
  // command.
  module.enableCompileCache();
  const { main } = await import(existsSync(sources) ? sources.href : compiled.href);
  await main(process.argv);
}
