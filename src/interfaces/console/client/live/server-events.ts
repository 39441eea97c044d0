/** Server-sent events, for as long as the page is on the screen. */
import { effect } from "@preact/signals";
import { checkReachable, isOffline, isSignedOut } from "../api.ts";

interface Listening {
  path: string;
  /** Types of the events to receive. */
  types: readonly string[];
  /** @param data the parsed JSON */
  take: (type: string, data: unknown) => void;
  /** Whether no more events can come. Default: never. */
  isOver?: () => boolean;
  /** Called after the connection was lost, before the next try, if the service can be reached. */
  onLost?: () => void;
}

const CONNECT_AGAIN_MS = 1500;

/**
 * Listens until the returned function is called. After a lost connection, it continues after the
 * last event that arrived, even across a restart of the service. A tab in the background doesn't
 * listen, because a browser opens few connections to one service, and all tabs share them.
 */
export function listen({ path, types, take, isOver = () => false, onLost }: Listening): () => void {
  let isStopped = false;
  let lastId = "";
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting: (() => void) | undefined;
  const disconnect = (): void => {
    clearTimeout(timer);
    waiting?.();
    waiting = undefined;
    source?.close();
    source = undefined;
  };
  const open = (): void => {
    const opened = new EventSource(lastId === "" ? path : `${path}?after=${encodeURIComponent(lastId)}`);
    source = opened;
    for (const type of types) {
      opened.addEventListener(type, ({ data, lastEventId }: MessageEvent<string>) => {
        lastId = lastEventId;
        take(type, JSON.parse(data));
      });
    }
    // This also happens when the service ends a stream that is over. A browser would connect again
    // by itself, but not after every kind of failure.
    opened.addEventListener("error", () => {
      disconnect();
      if (isOver()) return;
      void checkReachable().then(reconnect);
    });
  };
  /**
   * Connects as soon as the service can be reached and a person is signed in. While the service is
   * unavailable, one check is enough for all streams of a page.
   */
  const connect = (): void => {
    waiting = effect(() => {
      const isPossible = !isOffline.value && !isSignedOut.value;
      if (isPossible && !source) open();
    });
  };
  /** Connects again after a pause. */
  const reconnect = (): void => {
    if (isStopped || source || document.hidden) return;
    if (!isOffline.value) onLost?.();
    timer = setTimeout(connect, CONNECT_AGAIN_MS);
  };
  const onVisibility = (): void => {
    disconnect();
    if (!document.hidden && !isOver()) connect();
  };
  document.addEventListener("visibilitychange", onVisibility);
  onVisibility();
  return () => {
    isStopped = true;
    document.removeEventListener("visibilitychange", onVisibility);
    disconnect();
  };
}
