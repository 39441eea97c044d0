import type { RunnableConfig } from "@langchain/core/runnables";
import { AIMessage, HumanMessage } from "@langchain/core/messages";
import {
  emptyCheckpoint,
  ERROR,
  uuid6,
  type BaseCheckpointSaver,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
} from "@langchain/langgraph-checkpoint";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const config = (thread: string, namespace = "", id?: string): RunnableConfig => ({
  configurable: { thread_id: thread, checkpoint_ns: namespace, ...(id !== undefined && { checkpoint_id: id }) },
});

const metadata = (step: number, more: object = {}): CheckpointMetadata => ({
  source: "loop",
  step,
  parents: {},
  ...more,
});

const checkpoint = (step: number, values: Record<string, unknown> = {}): Checkpoint => ({
  ...emptyCheckpoint(),
  id: uuid6(step),
  channel_values: values,
  channel_versions: { messages: step },
  versions_seen: { agent: { messages: step } },
});

const idOf = (tuple: CheckpointTuple | undefined): unknown => tuple?.config.configurable?.["checkpoint_id"];

/** What LangGraph expects of a checkpointer. It also runs against LangGraph's own in-memory one, which proves the expectations. */
export function checkpointerContract(
  name: string,
  create: () => { saver: BaseCheckpointSaver; close: () => void },
): void {
  describe(`${name} as a checkpointer`, () => {
    let saver: BaseCheckpointSaver;
    let close: () => void;
    beforeEach(() => {
      ({ saver, close } = create());
    });
    afterEach(() => close());

    const put = async (step: number, at = config("t"), more: object = {}): Promise<RunnableConfig> =>
      saver.put(at, checkpoint(step), metadata(step, more), {});
    const list = async (at: RunnableConfig, options?: CheckpointListOptions): Promise<unknown[]> => {
      const steps = [];
      for await (const tuple of saver.list(at, options)) steps.push(tuple.metadata?.step);
      return steps;
    };

    test("returns what was put, messages as messages", async () => {
      const values = {
        messages: [
          new HumanMessage({ content: "hi 😀", id: "1" }),
          new AIMessage({ content: "", tool_calls: [{ id: "c", name: "n", args: { a: [1] } }] }),
        ],
        set: new Set([1, 2]),
        bytes: new Uint8Array([0, 255]),
        nothing: undefined,
      };
      const stored = checkpoint(1, values);
      const address = await saver.put(config("t"), stored, metadata(1, { who: "anna" }), { messages: 1 });
      expect(address).toEqual(config("t", "", stored.id));
      const tuple = await saver.getTuple(address);
      expect(tuple).toMatchObject({ config: address, metadata: metadata(1, { who: "anna" }), pendingWrites: [] });
      expect(tuple?.parentConfig).toBeUndefined();
      const { channel_values: got, ...rest } = tuple?.checkpoint ?? emptyCheckpoint();
      const { channel_values: _values, ...expected } = stored;
      expect(rest).toEqual(expected);
      const [human, ai] = got["messages"] as [HumanMessage, AIMessage];
      expect([human.text, human.id, ai.tool_calls?.[0]?.args]).toEqual(["hi 😀", "1", { a: [1] }]);
      expect(HumanMessage.isInstance(human)).toBe(true);
      expect(got["set"]).toEqual(new Set([1, 2]));
      expect(got["bytes"]).toEqual(new Uint8Array([0, 255]));
    });

    test("returns the newest checkpoint if no id is given, with its parent", async () => {
      const first = await put(1);
      const second = await put(2, first);
      const tuple = await saver.getTuple(config("t"));
      expect(tuple?.config).toEqual(second);
      expect(tuple?.parentConfig).toEqual(first);
      expect(idOf(await saver.getTuple(first))).toBe(first.configurable?.["checkpoint_id"]);
    });

    test("finds nothing for other threads, namespaces and ids", async () => {
      await put(1);
      expect(await saver.getTuple(config("other"))).toBeUndefined();
      expect(await saver.getTuple(config("t", "inner"))).toBeUndefined();
      expect(await saver.getTuple(config("t", "", "nope"))).toBeUndefined();
      await put(2, config("t", "inner"));
      expect((await saver.getTuple(config("t", "inner")))?.metadata?.step).toBe(2);
      expect((await saver.getTuple(config("t")))?.metadata?.step).toBe(1);
    });

    test("replaces a checkpoint that is put again", async () => {
      const stored = checkpoint(1);
      await saver.put(config("t"), stored, metadata(1), {});
      await saver.put(config("t"), stored, metadata(9), {});
      expect(await list(config("t"))).toEqual([9]);
    });

    test("lists checkpoints newest first, and filters them by predecessor, metadata, namespace, id and limit", async () => {
      const first = await put(1, config("t"), { who: "anna" });
      const second = await put(2, first, { who: "ben" });
      const third = await put(3, second, { who: "anna" });
      await put(4, config("t", "inner"));
      await put(5, config("u"));
      expect(await list(config("t", ""))).toEqual([3, 2, 1]);
      expect(await list(config("t", ""), { before: third })).toEqual([2, 1]);
      expect(await list(config("t", ""), { limit: 2 })).toEqual([3, 2]);
      expect(await list(config("t", ""), { limit: 0 })).toEqual([]);
      expect(await list(config("t", ""), { filter: { who: "anna" } })).toEqual([3, 1]);
      expect(await list(config("t", ""), { filter: { who: "anna" }, limit: 1, before: third })).toEqual([1]);
      expect(await list(config("t", ""), { filter: { who: "cleo" } })).toEqual([]);
      expect(await list(config("t", "inner"))).toEqual([4]);
      expect(await list(second)).toEqual([2]);
      expect(new Set(await list({ configurable: { thread_id: "t" } }))).toEqual(new Set([1, 2, 3, 4]));
      expect(new Set(await list({}))).toEqual(new Set([1, 2, 3, 4, 5]));
    });

    test("stores writes with their checkpoint in the order of path, task and index", async () => {
      const at = await put(1);
      await saver.putWrites(
        at,
        [
          ["b", 1],
          ["a", { two: 2 }],
        ],
        "task-2",
        "~2",
      );
      await saver.putWrites(at, [["a", "last"]], "task-1", "~10\u{1F600}");
      await saver.putWrites(at, [["a", "first"]], "task-9");
      await saver.putWrites(at, [["a", "before"]], "task-3", "~10\uFFFD");
      const expected = [
        ["task-9", "a", "first"],
        ["task-3", "a", "before"],
        ["task-1", "a", "last"],
        ["task-2", "b", 1],
        ["task-2", "a", { two: 2 }],
      ];
      expect((await saver.getTuple(at))?.pendingWrites).toEqual(expected);
      for await (const tuple of saver.list(at)) expect(tuple.pendingWrites).toEqual(expected);
    });

    test("keeps the first of repeated writes, but the last error", async () => {
      const at = await put(1);
      await saver.putWrites(
        at,
        [
          ["a", 1],
          [ERROR, "first"],
        ],
        "task",
      );
      await saver.putWrites(
        at,
        [
          ["a", 2],
          [ERROR, "second"],
        ],
        "task",
      );
      expect((await saver.getTuple(at))?.pendingWrites).toEqual([
        ["task", ERROR, "second"],
        ["task", "a", 1],
      ]);
    });

    test("deletes a thread with its writes, and no other thread", async () => {
      const at = await put(1);
      await put(2, config("t", "inner"));
      await saver.putWrites(at, [["a", 1]], "task");
      await put(3, config("u"));
      await saver.deleteThread("t");
      expect(await list({})).toEqual([3]);
      await saver.put(
        config("t"),
        { ...checkpoint(1), id: String(idOf({ config: at, checkpoint: checkpoint(1) })) },
        metadata(1),
        {},
      );
      expect((await saver.getTuple(at))?.pendingWrites).toEqual([]);
    });

    test("refuses to store without a thread", async () => {
      await expect(saver.put({ configurable: {} }, checkpoint(1), metadata(1), {})).rejects.toThrow("thread_id");
      await expect(saver.putWrites({ configurable: {} }, [["a", 1]], "task")).rejects.toThrow("thread_id");
    });
  });
}
