// A process that opens an engine on a PostgreSQL database, closes it at once, and has nothing else to do.
import { OpenWorkflowEngine } from "../../src/engine/open-workflow/open-workflow-engine.ts";

const engine = await OpenWorkflowEngine.connect(process.argv[2]!);
await engine.close();
process.stdout.write("closed\n");
