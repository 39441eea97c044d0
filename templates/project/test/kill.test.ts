// Kills the process with `kill -9` before and after payments, and restarts it each time.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, it } from "node:test";
import { OxigraphOntologyStore, select } from "abi-workflows";
import { isClean, runUndisturbed, runWithKills, tally, tallyTable } from "abi-workflows/testing";

const folder = await mkdtemp(join(tmpdir(), "refunds-"));
after(() => rm(folder, { recursive: true }));

it("pays and stores each refund once, even if the process is killed", async () => {
  const script = new URL("refund-process.ts", import.meta.url);
  const refunds = (name: string) => Array.from({ length: 8 }, (_, n) => `${name}-${n}`);

  const undisturbed = await runUndisturbed({ script, args: [folder, ...refunds("calm")] });
  const kills = await runWithKills({ script, args: [folder, ...refunds("killed")], undisturbed, kills: 4, seed: 1 });
  console.log(`killed ${kills.map(({ point }) => point).join(", ")}`);
  assert.equal(kills.length, 4);

  const expected = [...refunds("calm"), ...refunds("killed")];
  const paid = (await readdir(join(folder, "payments"))).map((file) => basename(file, ".json"));
  const payments = tally({ name: "payments", expected, received: paid.map((key) => ({ key, identity: key })) });

  const store = await OxigraphOntologyStore.open({ path: join(folder, "data.sqlite") });
  const query =
    "SELECT ?id ?refund { ?refund <http://example.org/abi#id> ?id ; <http://example.org/abi#receipt> ?receipt }";
  const rows = await select(store, "refunds", query);
  await store.close();
  const stored = rows.map(({ id, refund }) => ({ key: id?.value ?? "", identity: refund?.value ?? "" }));
  const facts = tally({ name: "facts", expected, received: stored });

  console.log(tallyTable([payments, facts]));
  assert.ok(isClean(payments));
  assert.ok(isClean(facts));
});
