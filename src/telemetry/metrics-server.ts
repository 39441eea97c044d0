import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { IoError } from "../errors.ts";
import { urlHost } from "../loopback.ts";
import type { Metrics } from "./metrics.ts";

/** A server that is listening. */
export interface MetricsServer {
  /** URL of the metrics, such as `http://127.0.0.1:9464/metrics`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` and, for health checks, `GET /livez`, in a process without another HTTP
 * server. Closing this server closes the metrics too.
 * @param address `port` 0 means any free port
 * @throws IoError if it can't listen on the address
 */
export async function serveMetrics(
  metrics: Metrics,
  { host, port }: { host: string; port: number },
): Promise<MetricsServer> {
  const server = createServer(listenerOf(metrics));
  try {
    await once(server.listen(port, host), "listening");
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    throw new IoError(
      `Metrics can't be served at ${host}, port ${port} (${code}). Set METRICS_PORT and METRICS_HOST to an address of this machine that is free.`,
      { code: "metrics_address", cause },
    );
  }
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${urlHost(host)}:${bound}/metrics`,
    close: async () => {
      metrics.close();
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}

const TEXT = "text/plain; charset=utf-8";

function listenerOf(metrics: Metrics): RequestListener {
  const answers: Record<string, () => Promise<{ type: string; text: string }>> = {
    "/metrics": async () => ({ type: metrics.contentType, text: await metrics.text() }),
    "/livez": async () => ({ type: TEXT, text: "ok\n" }),
  };
  return (request, response) => {
    const { method = "", url = "" } = request;
    const path = url.split("?", 1)[0]!;
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
    if (!answer)
      return void response.writeHead(404, { "content-type": TEXT }).end("Not found. There are /metrics and /livez.\n");
    if (method !== "GET" && method !== "HEAD")
      return void response.writeHead(405, { allow: "GET, HEAD", "content-type": TEXT }).end("Use GET.\n");
    answer().then(
      ({ type, text }) => response.writeHead(200, { "content-type": type }).end(method === "HEAD" ? "" : text),
      () => response.writeHead(500, { "content-type": TEXT }).end("The metrics could not be collected.\n"),
    );
  };
}
