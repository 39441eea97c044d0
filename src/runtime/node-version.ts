/**
 * The oldest Node.js that has everything we need built in (`node:sqlite` without a flag). It must
 * match `engines` in package.json.
 */
export const MINIMUM_NODE = "22.13.0";

const parts = (version: string): number[] => version.split(".").map(Number);

/** Whether a version such as `24.1.0` is the oldest supported Node.js or newer. */
export function isSupportedNode(version: string): boolean {
  const [major = 0, minor = 0] = parts(version);
  const [minimumMajor = 0, minimumMinor = 0] = parts(MINIMUM_NODE);
  return major > minimumMajor || (major === minimumMajor && minor >= minimumMinor);
}

if (!isSupportedNode(process.versions.node)) {
  throw new Error(
    `abi-workflows needs Node.js ${MINIMUM_NODE} or newer (24 recommended), but this is Node.js ${process.versions.node}. ` +
      "Install a newer Node.js, for example with `npx -p node@24 node <your script>`.",
  );
}
