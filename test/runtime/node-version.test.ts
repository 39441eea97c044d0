import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isSupportedNode, MINIMUM_NODE } from "../../src/runtime/node-version.ts";

describe("the Node.js version check", () => {
  it.each([
    ["18.20.0", false],
    ["20.20.2", false],
    ["22.12.9", false],
    ["22.13.0", true],
    ["23.0.0", true],
    ["24.21.0", true],
    ["100.0.0", true],
  ])("decides whether %s is supported: %s", (version, supported) => {
    expect(isSupportedNode(version)).toBe(supported);
  });

  it("agrees with package.json and the command", () => {
    const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      engines: { node: string };
    };
    expect(`>=${MINIMUM_NODE}`).toBe(`${engines.node}.0`);
    expect(readFileSync(new URL("../../bin/abi-workflows.js", import.meta.url), "utf8")).toContain(
      `Node.js ${MINIMUM_NODE.replace(/\.0$/, "")}`,
    );
  });
});
