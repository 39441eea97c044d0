import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A network between a client and a server that a test can cut and restore. */
export interface TcpProxy {
  port: number;
  /** Breaks all connections, and new ones as soon as they are made. */
  cut(): void;
  mend(): void;
  /** Keeps all connections and accepts new ones, but forwards nothing any more. */
  silence(): void;
  /** Keeps all connections, but no longer forwards the server's answers. */
  loseAnswers(): void;
  /** Resolves once this many new connections have been broken since the last cut. */
  refused(count: number): Promise<void>;
}

/** Forwards to a port of this machine, until the test ends. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let whole = true;
  let silent = false;
  const refused: Socket[] = [];
  const muting = new Set<() => void>();
  const losing = new Set<() => void>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    keep(client);
    if (!whole) {
      refused.push(client);
      client.destroy();
      server.emit("refused");
      return;
    }
    if (silent) return;
    const upstream = connect(target, "127.0.0.1");
    keep(upstream);
    client.pipe(upstream).pipe(client);
    const mute = (): void => {
      client.unpipe(upstream).pause();
      upstream.unpipe(client).pause();
    };
    const lose = (): void => void upstream.unpipe(client).resume();
    muting.add(mute);
    losing.add(lose);
    client.on("close", () => muting.delete(mute) && losing.delete(lose));
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    whole = false;
    refused.length = 0;
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  return {
    port,
    cut,
    mend: () => {
      whole = true;
      silent = false;
    },
    silence: () => {
      silent = true;
      for (const mute of muting) mute();
    },
    loseAnswers: () => {
      for (const lose of losing) lose();
    },
    refused: async (count) => {
      while (refused.length < count) await once(server, "refused");
    },
  };
}
