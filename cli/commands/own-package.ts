import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { packageFile, packageRoot } from "../../src/runtime/package-root.ts";

/** What another package needs to know to depend on this one. */
export interface OwnPackage {
  name: string;
  version: string;
  /** Versions of the packages that it uses, by name. */
  versions: Readonly<Record<string, string>>;
  /**
   * The file (absolute) or repository that npm installed it from; undefined if it came from the
   * registry, or if that is not known.
   */
  installedFrom?: string;
  /** Its folder, if it is not an installed package. */
  checkout?: string;
}

export function ownPackage(): OwnPackage {
  const root = packageRoot();
  const { name, version, devDependencies, dependencies, peerDependencies } = packageFile();
  const own = { name, version, versions: { ...devDependencies, ...dependencies, ...peerDependencies } };
  const modules = dirname(root);
  if (basename(modules) !== "node_modules") return { ...own, checkout: root };
  const source = sourceOf(modules, name);
  return source === undefined ? own : { ...own, installedFrom: source };
}

/**
 * npm records the origin of each package. Other package managers don't, so their packages are
 * assumed to be from the registry.
 */
function sourceOf(modules: string, name: string): string | undefined {
  const list = join(modules, ".package-lock.json");
  if (!existsSync(list)) return undefined;
  const { packages } = JSON.parse(readFileSync(list, "utf8")) as { packages: Record<string, { resolved?: string }> };
  const { resolved = "" } = packages[`node_modules/${name}`] ?? {};
  if (resolved.startsWith("file:")) return resolve(dirname(modules), resolved.slice("file:".length));
  return resolved.startsWith("git") ? resolved : undefined;
}
