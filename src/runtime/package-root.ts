import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of this package, whether the code runs from the sources or from `dist`. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

export interface PackageFile {
  name: string;
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

/** The content of this package's package.json. */
export const packageFile = (): PackageFile =>
  JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as PackageFile;

export const packageVersion = (): string => packageFile().version;

/** The path of a file of the sample data, which comes with the package. */
export const sampleFile = (name: string): string => join(packageRoot(), "examples", "data", name);
