// For the image: turns the peer dependencies in package.json, even optional ones, into dependencies, so that npm installs them in the
// versions of the lockfile.
import { readFileSync, writeFileSync } from "node:fs";

const { dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
writeFileSync("package.json", JSON.stringify({ dependencies: { ...dependencies, ...peerDependencies } }));
