// Where a crash test stores runs and graph, and how many processes share them.
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type DurableEngine, OxigraphOntologyStore, SparqlEndpointStore, type OntologyStore } from "../../src/index.ts";
import { openEngineAt, restateLocation } from "../support/engine-at.ts";
import { freePort } from "../support/free-port.ts";
import { createDatabase } from "../support/postgres.ts";
import { startRestate, startRestateCluster, type RestateServerProcess } from "../support/restate.ts";
import { startSparqlEndpoint } from "../support/sparql-endpoint.ts";
import { startTcpBalancer } from "../support/tcp-balancer.ts";

export interface Place extends AsyncDisposable {
  /** A SQLite file, or the URL of a PostgreSQL database or a Restate server. */
  readonly runs: string;
  /** A SQLite file, or the URL of a SPARQL endpoint. */
  readonly graph: string;
  readonly workers: number;
  /** Kills the run server, or a node of it, and starts it again. */
  readonly restart?: () => Promise<void>;
}

export const PLACES = {
  /** A file, which only one process at a time has open. */
  sqlite: async (folder: string): Promise<Place> => ({
    runs: join(folder, "data.sqlite"),
    graph: join(folder, "data.sqlite"),
    workers: 1,
    [Symbol.asyncDispose]: async () => {},
  }),
  /** A new PostgreSQL database and a SPARQL endpoint in this process, shared by two workers. */
  postgres: async (): Promise<Place> => {
    const database = await createDatabase();
    const endpoint = await startSparqlEndpoint({ closeWithTest: false });
    return {
      runs: database.url,
      graph: `${endpoint.origin}/sparql`,
      workers: 2,
      [Symbol.asyncDispose]: async () => {
        await endpoint.close();
        await database.drop();
      },
    };
  },
  /** A Restate server and a SPARQL endpoint; the server reaches two workers through a balancer. */
  restate: async (): Promise<Place> => {
    const server = await startRestate();
    return onRestate(server, async () => {
      await server.kill();
      await server.start();
    });
  },
  /** The same on a cluster of three nodes, which are killed in turn while the others continue. */
  "restate-cluster": async (): Promise<Place> => {
    const cluster = await startRestateCluster();
    const nodes = cluster.pids.length;
    let kills = 0;
    return onRestate(cluster, async () => {
      const victim = kills++ % nodes;
      await cluster.kill(victim);
      await setTimeout(NODE_DOWN_MS);
      await cluster.start(victim);
    });
  },
};

/** Long enough for the others to notice. */
const NODE_DOWN_MS = 5000;

async function onRestate(server: RestateServerProcess, restart: () => Promise<void>): Promise<Place> {
  const ports = [await freePort(), await freePort()];
  const balancer = await startTcpBalancer(ports);
  const endpoint = await startSparqlEndpoint({ closeWithTest: false });
  return {
    runs: restateLocation(server, "crash", balancer.url, ports),
    graph: `${endpoint.origin}/sparql`,
    workers: ports.length,
    restart,
    [Symbol.asyncDispose]: async () => {
      await endpoint.close();
      await server.destroy();
      await balancer[Symbol.asyncDispose]();
    },
  };
}

export type PlaceName = keyof typeof PLACES;

const isUrl = (location: string): boolean => URL.canParse(location);

export const openGraph = async (location: string): Promise<OntologyStore> =>
  isUrl(location) ? new SparqlEndpointStore({ url: location }) : OxigraphOntologyStore.open({ path: location });

/** Opens the runs for inspection when all is done. */
export const openRuns = async (location: string): Promise<DurableEngine> => openEngineAt(location, { worker: false });
