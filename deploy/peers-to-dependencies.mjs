// For the image: makes the peer dependencies of package.json, optional ones included, dependencies, so that npm installs them in the
// versions of the lock file.
import { readFileSync, writeFileSync } from "node:fs";

const { dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
writeFileSync("package.json", JSON.stringify({ dependencies: { ...dependencies, ...peerDependencies } }));
