// A process that opens an engine on a PostgreSQL database, closes it at once, and has nothing else to do.
import { DurableEngine } from "../../src/engine/durable-engine.ts";

const engine = await DurableEngine.connect(process.argv[2]!);
await engine.close();
process.stdout.write("closed\n");
