import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import type { RunnableConfig } from "@langchain/core/runnables";
import {
  BaseCheckpointSaver,
  copyCheckpoint,
  getCheckpointId,
  WRITES_IDX_MAP,
  type ChannelVersions,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointPendingWrite,
  type CheckpointTuple,
  type PendingWrite,
} from "@langchain/langgraph-checkpoint";
import { IoError } from "../../src/errors.ts";
import { openSqlite } from "../../src/files/sqlite.ts";
import { checkpointConfig, threadAndNamespace, requiredId, threadOf } from "./checkpoint-config.ts";
import { SCHEMA, type CheckpointRow, type WriteRow } from "./schema.ts";

interface ThreadListOptions {
  limit: number;
  before?: string | undefined;
}

/**
 * Conversation memory in a SQLite file: a LangGraph checkpointer on `node:sqlite`, without a native
 * build. Conversations survive a restart, and several processes may use one file. Checkpoints have
 * format 4, which LangGraph has used since version 0.4, and each is stored as a whole.
 *
 * @example
 * const checkpointer = new SqliteCheckpointSaver("data/conversations.sqlite");
 * const agent = await createFeedbackAgent({ tools, checkpointer });
 */
export class SqliteCheckpointSaver extends BaseCheckpointSaver {
  readonly #database: DatabaseSync;

  /**
   * @param path path of the file, which is created if needed; `":memory:"` forgets everything at
   * `close`
   */
  constructor(path: string) {
    super();
    this.#database = this.#sqlite(() => openSqlite(path));
    this.#sqlite(() => this.#database.exec(SCHEMA));
  }

  async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const { threadId, namespace } = threadAndNamespace(config);
    const id = getCheckpointId(config);
    const row = this.#sqlite(
      () =>
        this.#database
          .prepare(
            `SELECT * FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ? AND (? = '' OR checkpoint_id = ?)
             ORDER BY checkpoint_id DESC LIMIT 1`,
          )
          .get(threadId, namespace, id, id) as CheckpointRow | undefined,
    );
    return row && this.#tuple(row);
  }

  /** Newest first, for all threads and namespaces that match `config`. */
  async *list(config: RunnableConfig, options: CheckpointListOptions = {}): AsyncGenerator<CheckpointTuple> {
    const threadId = threadOf(config) ?? null;
    const namespace = (config.configurable?.["checkpoint_ns"] as string | undefined) ?? null;
    const id = getCheckpointId(config) || null;
    const before = (options.before && getCheckpointId(options.before)) || null;
    // Reads all keys and metadata first and then one checkpoint at a time, so that the checkpoints
    // of a long history need not fit into memory.
    const keys = this.#sqlite(
      () =>
        this.#database
          .prepare(
            `SELECT rowid AS key, metadata_type, metadata FROM checkpoints
             WHERE thread_id = ifnull(?, thread_id) AND checkpoint_ns = ifnull(?, checkpoint_ns)
               AND checkpoint_id = ifnull(?, checkpoint_id) AND (? IS NULL OR checkpoint_id < ?)
             ORDER BY checkpoint_id DESC`,
          )
          .all(threadId, namespace, id, before, before) as (Pick<CheckpointRow, "metadata_type" | "metadata"> & {
          key: number;
        })[],
    );
    let left = options.limit ?? Infinity;
    for (const { key, metadata_type: type, metadata } of keys) {
      if (left <= 0) return;
      const stored = (await this.serde.loadsTyped(type, metadata)) as Record<string, unknown>;
      const wanted = Object.entries(options.filter ?? {});
      const storedValue = (name: string): unknown => (Object.hasOwn(stored, name) ? stored[name] : undefined);
      if (!wanted.every(([name, value]) => isDeepStrictEqual(storedValue(name), value))) continue;
      const row = this.#sqlite(
        () =>
          this.#database.prepare("SELECT * FROM checkpoints WHERE rowid = ?").get(key) as unknown as
            | CheckpointRow
            | undefined,
      );
      if (row === undefined) continue;
      left -= 1;
      yield this.#tuple(row);
    }
  }

  async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    _newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    const { threadId, namespace } = threadAndNamespace(config);
    const [[type, value], [metadataType, metadataValue]] = await Promise.all([
      this.serde.dumpsTyped(copyCheckpoint(checkpoint)),
      this.serde.dumpsTyped(metadata),
    ]);
    this.#sqlite(() =>
      this.#database
        .prepare("INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .run(
          threadId,
          namespace,
          requiredId("checkpoint_id", checkpoint.id),
          getCheckpointId(config) || null,
          type,
          value,
          metadataType,
          metadataValue,
        ),
    );
    return checkpointConfig(threadId, namespace, checkpoint.id);
  }

  /**
   * A repeated write of a task at the same index is ignored; errors, interrupts and their answers
   * are replaced instead.
   */
  async putWrites(config: RunnableConfig, writes: PendingWrite[], taskId: string, taskPath = ""): Promise<void> {
    const { threadId, namespace } = threadAndNamespace(config);
    const checkpointId = requiredId("checkpoint_id", config.configurable?.["checkpoint_id"]);
    const rows = await Promise.all(
      writes.map(async ([channel, value], position) => ({
        channel,
        index: (Object.hasOwn(WRITES_IDX_MAP, channel) ? WRITES_IDX_MAP[channel] : undefined) ?? position,
        value: await this.serde.dumpsTyped(value),
      })),
    );
    this.#transaction(() => {
      for (const { channel, index, value } of rows) {
        this.#database
          .prepare(`INSERT OR ${index < 0 ? "REPLACE" : "IGNORE"} INTO writes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
          .run(threadId, namespace, checkpointId, taskPath, taskId, index, channel, ...value);
      }
    });
  }

  /**
   * The threads whose ids consist of the prefix and a UUID, each with its last checkpoint, most
   * recently used first.
   * @param options `before`: a checkpoint id; only threads whose last checkpoint is older are listed
   */
  threadsOf(prefix: string, { limit, before }: ThreadListOptions): { threadId: string; checkpointId: string }[] {
    return this.#sqlite(
      () =>
        this.#database
          .prepare(
            `SELECT thread_id AS threadId, max(checkpoint_id) AS checkpointId FROM checkpoints
             WHERE checkpoint_ns = '' AND thread_id >= ?1 AND thread_id < ?1 || char(1114111) AND length(thread_id) = length(?1) + 36
             GROUP BY thread_id HAVING ?2 IS NULL OR checkpointId < ?2 ORDER BY checkpointId DESC LIMIT ?3`,
          )
          .all(prefix, before ?? null, limit) as { threadId: string; checkpointId: string }[],
    );
  }

  async deleteThread(threadId: string): Promise<void> {
    const id = requiredId("thread_id", threadId);
    this.#transaction(() => {
      this.#database.prepare("DELETE FROM writes WHERE thread_id = ?").run(id);
      this.#database.prepare("DELETE FROM checkpoints WHERE thread_id = ?").run(id);
    });
  }

  /**
   * Keeps only the latest state of a thread. Use it if you never go back to an earlier step: each
   * step contains the whole conversation so far, so the file would grow with the square of the
   * conversation's length. Not for graphs with delta channels.
   */
  async forgetSteps(threadId: string): Promise<void> {
    const id = requiredId("thread_id", threadId);
    this.#transaction(() => {
      for (const table of ["writes", "checkpoints"]) {
        this.#database
          .prepare(
            `DELETE FROM ${table} WHERE thread_id = ?1 AND checkpoint_id < (
               SELECT max(checkpoint_id) FROM checkpoints newest
               WHERE newest.thread_id = ?1 AND newest.checkpoint_ns = ${table}.checkpoint_ns)`,
          )
          .run(id);
      }
    });
  }

  /** Closes the file. Safe to call twice. */
  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  async #tuple(row: CheckpointRow): Promise<CheckpointTuple> {
    const { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: id, parent_checkpoint_id: parent } = row;
    return {
      config: checkpointConfig(threadId, namespace, id),
      checkpoint: (await this.serde.loadsTyped(row.checkpoint_type, row.checkpoint)) as Checkpoint,
      metadata: (await this.serde.loadsTyped(row.metadata_type, row.metadata)) as CheckpointMetadata,
      pendingWrites: await this.#writes(threadId, namespace, id),
      ...(parent !== null && { parentConfig: checkpointConfig(threadId, namespace, parent) }),
    };
  }

  /**
   * The pending writes of a checkpoint, in the order in which LangGraph applies them: SQLite
   * compares UTF-8 bytes, which gives the order of code points.
   */
  async #writes(threadId: string, namespace: string, checkpointId: string): Promise<CheckpointPendingWrite[]> {
    const rows = this.#sqlite(
      () =>
        this.#database
          .prepare(
            `SELECT task_id, channel, value_type, value FROM writes
             WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ? ORDER BY task_path, task_id, idx`,
          )
          .all(threadId, namespace, checkpointId) as unknown as WriteRow[],
    );
    return Promise.all(
      rows.map(async (row): Promise<CheckpointPendingWrite> => [
        row.task_id,
        row.channel,
        await this.serde.loadsTyped(row.value_type, row.value),
      ]),
    );
  }

  #transaction(work: () => void): void {
    this.#sqlite(() => {
      this.#database.exec("BEGIN IMMEDIATE");
      try {
        work();
        this.#database.exec("COMMIT");
      } catch (error) {
        this.#database.exec("ROLLBACK");
        throw error;
      }
    });
  }

  #sqlite<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (cause) {
      throw new IoError("The conversation memory can't be read or written. Check its file, its folder and the disk.", {
        code: "memory_unavailable",
        cause,
      });
    }
  }
}
