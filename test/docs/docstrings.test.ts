import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";
import { ENTRIES, root } from "./documents.ts";

interface Exported {
  name: string;
  file: string;
}

/** The names that a file exports from other files, with the files that declare them. */
const exportsOf = (file: string): Exported[] =>
  [...readFileSync(file, "utf8").matchAll(/^export (?:type )?(\{[^}]*\}|\*) from "(\..*?)";/gms)].flatMap(
    ([, names = "", from = ""]) => {
      const target = join(dirname(file), from);
      const further = exportsOf(target);
      const own = declarationsOf(target).map((name) => ({ name, file: target }));
      const isWanted = ({ name }: Exported): boolean =>
        names === "*" || new RegExp(String.raw`\b${name}\b`).test(names);
      return further.concat(own).filter(isWanted);
    },
  );

const DECLARATION = /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|interface|const|type) (\w+)/gm;

const declarationsOf = (file: string): string[] =>
  [...readFileSync(file, "utf8").matchAll(DECLARATION)].map(([, name = ""]) => name);

const isDocumented = ({ name, file }: Exported): boolean => {
  const declaration = DECLARATION.source.slice(1).replace(String.raw`(\w+)`, name);
  return new RegExp(String.raw`\*/\n${declaration}\b`).test(readFileSync(file, "utf8"));
};

it("everything that the package exports has a docstring", () => {
  const all = Object.values(ENTRIES).flatMap((entry) => exportsOf(join(root, entry)));
  expect(all.length).toBeGreaterThan(200);
  const missing = all.filter((one) => !isDocumented(one));
  expect(missing.map(({ name, file }) => `${name} in ${relative(root, file)}`)).toEqual([]);
});
