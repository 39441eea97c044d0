import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emptyCheckpoint, MemorySaver, type CheckpointMetadata } from "@langchain/langgraph-checkpoint";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { createChatModel, createFeedbackAgent, SqliteCheckpointSaver } from "../../../agents/index.ts";
import { IoError, ValidationError } from "../../../src/errors.ts";
import { reply, startOpenAiServer, status, toolCall, type ScriptStep } from "../../support/openai-server.ts";
import { feedbackTools } from "../feedback-tools.ts";
import { checkpointerContract } from "./checkpointer-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "memory-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `new/${(files += 1)}.sqlite`);

checkpointerContract("MemorySaver", () => ({ saver: new MemorySaver(), close: () => undefined }));
checkpointerContract("SqliteCheckpointSaver", () => {
  const saver = new SqliteCheckpointSaver(newFile());
  return { saver, close: () => saver.close() };
});

const META: CheckpointMetadata = { source: "loop", step: 1, parents: {} };

describe("SqliteCheckpointSaver", () => {
  test("has all its data when it is opened again or opened twice", async () => {
    const file = newFile();
    const saver = new SqliteCheckpointSaver(file);
    const at = await saver.put({ configurable: { thread_id: "t" } }, emptyCheckpoint(), META, {});
    await saver.putWrites(at, [["a", 1]], "task");
    const second = new SqliteCheckpointSaver(file);
    const before = await second.getTuple(at);
    second.close();
    saver.close();
    saver.close();
    const again = new SqliteCheckpointSaver(file);
    expect(await again.getTuple(at)).toEqual(before);
    expect(before?.pendingWrites).toEqual([["task", "a", 1]]);
    again.close();
  });

  test("keeps conversations apart, whatever their ids look like", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 2, maxLength: 5 }),
        async (ids) => {
          const saver = new SqliteCheckpointSaver(":memory:");
          for (const [step, id] of ids.entries()) {
            await saver.put({ configurable: { thread_id: id } }, emptyCheckpoint(), { ...META, step }, {});
          }
          for (const [step, id] of ids.entries()) {
            expect((await saver.getTuple({ configurable: { thread_id: id } }))?.metadata?.step).toBe(step);
          }
          saver.close();
        },
      ),
      { numRuns: 30 },
    );
  });

  test("refuses ids that can't be stored unchanged", async () => {
    const saver = new SqliteCheckpointSaver(":memory:");
    const bad = { configurable: { thread_id: "\uD800" } };
    await expect(saver.getTuple(bad)).rejects.toBeInstanceOf(ValidationError);
    await expect(saver.deleteThread("")).rejects.toBeInstanceOf(ValidationError);
    saver.close();
  });

  test("says what is wrong if the file is not a database", () => {
    const file = join(folder, "text.sqlite");
    writeFileSync(file, "this is a letter, not a database, and long enough to be noticed as one");
    expect(() => new SqliteCheckpointSaver(file)).toThrow(IoError);
  });
});

describe("a conversation", () => {
  const asking = async (file: string, script: ScriptStep[], thread: string, ...texts: string[]) => {
    await using server = await startOpenAiServer(script);
    const agent = await createFeedbackAgent({
      model: await createChatModel({ openaiBaseUrl: server.url }),
      tools: feedbackTools(),
      checkpointer: new SqliteCheckpointSaver(file),
    });
    await Promise.all(texts.map((text) => agent.ask(text, { threadId: thread })));
    await agent.close();
    return server.requests.map(({ body }) => body.messages.map(({ role, content }) => [role, content]));
  };

  /** The thread and the number of messages of each checkpoint in a file. */
  const kept = async (file: string): Promise<unknown[]> => {
    const saver = new SqliteCheckpointSaver(file);
    const found: unknown[] = [];
    for await (const { config, checkpoint } of saver.list({})) {
      found.push([config.configurable?.["thread_id"], (checkpoint.channel_values["messages"] as unknown[]).length]);
    }
    saver.close();
    return found;
  };

  test("continues after a restart, and knows nothing about another thread", async () => {
    const file = newFile();
    await asking(
      file,
      [toolCall("analyze_feedback_sentiment", { text: "x" }), reply("Negative.")],
      "anna",
      "Look at x",
    );
    const [resumed] = await asking(file, [reply("x was negative.")], "anna", "What was it?");
    expect(resumed?.slice(1)).toEqual([
      ["user", "Look at x"],
      ["assistant", ""],
      ["tool", "negative"],
      ["assistant", "Negative."],
      ["user", "What was it?"],
    ]);
    const [other] = await asking(file, [reply("I don't know.")], "ben", "What was it?");
    expect(other).toHaveLength(2);
  });

  test("stores only its current state, not every intermediate step", async () => {
    const file = newFile();
    await asking(file, [reply("hello")], "ben", "Hi");
    await asking(
      file,
      [toolCall("analyze_feedback_sentiment", { text: "x" }), reply("one"), reply("two")],
      "anna",
      "a",
      "b",
    );
    expect(await kept(file)).toEqual([
      ["anna", 6],
      ["ben", 2],
    ]);
  });

  test("stores only its current state even after a failed request", async () => {
    const file = newFile();
    const failing = asking(file, [toolCall("analyze_feedback_sentiment", { text: "x" }), status(401)], "anna", "a");
    await expect(failing).rejects.toMatchObject({ name: "ValidationError" });
    expect(await kept(file)).toEqual([["anna", 3]]);
  });

  test("handles two simultaneous messages one after the other", async () => {
    const requests = await asking(newFile(), [reply("one"), reply("two")], "anna", "first", "second");
    expect(requests[1]?.slice(1).map(([, content]) => content)).toEqual(["first", "one", "second"]);
  });

  test("continues after the process was killed between a tool call and its result", async () => {
    const file = newFile();
    await using server = await startOpenAiServer([
      toolCall("analyze_feedback_sentiment", { text: "x" }),
      reply("That call was interrupted."),
    ]);
    const child = spawn(process.execPath, [join(import.meta.dirname, "killed-conversation.ts"), file, server.url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [output] = (await once(child.stdout, "data")) as [Buffer];
    expect(output.toString()).toContain("in the tool");
    child.kill("SIGKILL");
    await once(child, "exit");

    const agent = await createFeedbackAgent({
      model: await createChatModel({ openaiBaseUrl: server.url }),
      tools: feedbackTools(),
      checkpointer: new SqliteCheckpointSaver(file),
    });
    expect((await agent.ask("And?", { threadId: "anna" })).text).toBe("That call was interrupted.");
    await agent.close();
    const messages = server.requests[1]?.body.messages.slice(1) ?? [];
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "user"]);
    expect(messages[2]?.content).toContain("interrupted");
  });
});
