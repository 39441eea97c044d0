// Copies must be consistent and undamaged. These tests use their own files, to which somebody writes meanwhile.
import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { backUp } from "../../cli/commands/backup.ts";
import { openSqlite } from "../../src/files/sqlite.ts";
import { temporaryFolder } from "../support/folder.ts";

interface Place {
  folder: string;
  data: string;
  conversations: string;
}

function place(): Place {
  const folder = temporaryFolder();
  const paths = { folder, data: join(folder, "data.sqlite"), conversations: join(folder, "conversations.sqlite") };
  for (const path of [paths.data, paths.conversations]) {
    const database = openSqlite(path);
    database.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT)");
    database.close();
  }
  return paths;
}

function opened(path: string): DatabaseSync {
  const database = openSqlite(path);
  onTestFinished(() => database.close());
  return database;
}

function itemsIn(path: string): number[] {
  const database = openSqlite(path);
  try {
    return database
      .prepare("SELECT id FROM item ORDER BY id")
      .all()
      .map(({ id }) => Number(id));
  } finally {
    database.close();
  }
}

const insert = "INSERT INTO item (text) VALUES ('x')";

test("a backup contains the data of one moment, not what is written while it copies", async () => {
  const { folder, data, conversations } = place();
  const writers = [opened(data), opened(conversations)];
  for (const writer of writers) writer.exec(insert);
  const target = join(folder, "backup");
  const finished = backUp({ databases: [data, conversations], files: [], folders: [] }, target);
  // That moment has passed by now, because it comes before the first await.
  for (const writer of writers) writer.exec(insert);
  await finished;
  expect([data, conversations].map(itemsIn)).toEqual([
    [1, 2],
    [1, 2],
  ]);
  for (const name of ["data.sqlite", "conversations.sqlite"]) expect(itemsIn(join(target, name))).toEqual([1]);
});

test("a copy of a damaged file is not accepted as a backup", async () => {
  const { folder, data, conversations } = place();
  const database = openSqlite(data);
  const fill = database.prepare("INSERT INTO item (text) VALUES (?)");
  for (let n = 0; n < 500; n++) fill.run("text ".repeat(20));
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  expect(existsSync(`${data}-wal`)).toBe(false);
  const file = openSync(data, "r+");
  writeSync(file, Buffer.alloc(512, 0xa5), 0, 512, 4096 * 3);
  closeSync(file);
  const backup = backUp({ databases: [data, conversations], files: [], folders: [] }, join(folder, "backup"));
  await expect(backup).rejects.toMatchObject({ type: "io_error", code: "backup_failed" });
});
