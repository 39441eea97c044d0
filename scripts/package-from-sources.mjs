// Lets a program in a checkout import "abi-workflows" as users of the package do, but from the
// sources, without a build:
//   node --import ./scripts/package-from-sources.mjs examples/agent.ts
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

const { name, exports } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

const sources = new Map(
  Object.entries(exports)
    .filter(([, target]) => typeof target === "object")
    .map(([entry, target]) => [
      name + entry.slice(1),
      new URL(target.default.replace("./dist/", "../").replace(/\.js$/, ".ts"), import.meta.url).href,
    ]),
);

registerHooks({
  resolve: (specifier, context, next) => next(sources.get(specifier) ?? specifier, context),
});
