/** The packages of the peers, in a separate folder: the project itself does not depend on them. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FOLDER = join(dirname(import.meta.dirname), "peers");

let missing: string | undefined;
let isTried = false;

/**
 * Installs the peers if they are missing; returns why they can't be installed, or undefined. No
 * package's install scripts are run.
 */
export function whyPeersAreMissing(): string | undefined {
  if (isTried || existsSync(join(FOLDER, "node_modules", ".package-lock.json"))) return missing;
  isTried = true;
  console.log("Installing the peers (npm ci in bench/peers) …");
  const { status, stderr } = spawnSync("npm", ["ci", "--ignore-scripts", "--loglevel=error"], {
    cwd: FOLDER,
    encoding: "utf8",
  });
  if (status !== 0) missing = stderr?.trim().split("\n")[0] ?? "npm could not be started";
  return missing;
}

/** Name and version of each package of the peers. */
export function peerVersions(): string[] {
  const { dependencies } = JSON.parse(readFileSync(join(FOLDER, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  return Object.entries(dependencies).map(([name, version]) => `${name} ${version}`);
}
