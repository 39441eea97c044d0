import { expect, test } from "vitest";
import { createProject, filesOf, runNode } from "./documents.ts";

test("the program of the agents page shows an email, decides on it, and gets an answer", async () => {
  const cwd = createProject(filesOf("docs/agents.md"));
  const { code, stdout, stderr } = await runNode(["chat-approval.ts"], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^To \S+@\S+: RE: your feedback .*\n\n[^]*The customer was answered by email/);
});

test("another program of the agents page serves the agent", async () => {
  const cwd = createProject(filesOf("docs/agents.md"));
  const { code, stdout, stderr } = await runNode(["chat-server.ts"], { cwd });
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: "{ model: 'offline demo model', offline: true }\n",
    stderr: "",
  });
});
