import { describe, expect, it } from "vitest";
import { withPackages } from "../../src/runtime/optional-packages.ts";
import { createProject, runNode } from "../docs/documents.ts";

describe("an optional package", () => {
  const missing = (name: string) => () => import(name) as Promise<unknown>;

  it("is named if it is missing, with the command to install it", async () => {
    await expect(withPackages(["not-there", "beside-it"], missing("not-there"))).rejects.toMatchObject({
      code: "package_missing",
      message: "This needs the package not-there, which is not installed. Run: npm install not-there beside-it",
    });
  });

  it("is not blamed for other errors while it is loaded", async () => {
    await expect(withPackages(["langchain"], missing("not-there"))).rejects.toMatchObject({
      code: "ERR_MODULE_NOT_FOUND",
    });
    const failure = new Error("broken: 'langchain'");
    await expect(withPackages(["langchain"], () => Promise.reject(failure))).rejects.toBe(failure);
  });

  // A user who wants only the workflow must not need an agent's packages.
  it.each(["", "/tools", "/agents"])("is not loaded by abi-workflows%s", async (entry) => {
    const program = `
      import { registerHooks } from "node:module";
      const asked = new Set();
      registerHooks({ resolve: (specifier, context, next) => (asked.add(specifier), next(specifier, context)) });
      await import("abi-workflows${entry}");
      console.log([...asked].filter((name) => /^(?:langchain|@langchain\\/openai|openai)(?:\\/|$)/.test(name)));`;
    const cwd = createProject({ "program.ts": program });
    expect(await runNode(["program.ts"], { cwd })).toEqual({ code: 0, stdout: "[]\n", stderr: "" });
  });
});
