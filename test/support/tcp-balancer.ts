import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A load balancer in front of several servers: each connection goes to the next server that accepts it. */
export interface TcpBalancer extends AsyncDisposable {
  readonly url: string;
}

/** @param ports local ports; nothing has to listen on them yet */
export async function startTcpBalancer(ports: readonly number[]): Promise<TcpBalancer> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    // Otherwise small messages would wait for the other side's delayed acknowledgement.
    socket.setNoDelay();
    sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
  };
  let turn = 0;
  const forward = async (client: Socket): Promise<void> => {
    turn += 1;
    for (const [offset] of ports.entries()) {
      const upstream = connect(ports[(turn + offset) % ports.length]!, "127.0.0.1");
      keep(upstream);
      const isOpen = await once(upstream, "connect").then(
        () => true,
        () => false,
      );
      if (!isOpen) continue;
      client.pipe(upstream).pipe(client);
      client.on("close", () => upstream.destroy());
      upstream.on("close", () => client.destroy());
      if (client.destroyed) upstream.destroy();
      return;
    }
    client.destroy();
  };
  const server = createServer((client) => {
    keep(client);
    void forward(client);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server.close(), "close");
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
