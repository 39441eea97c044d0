/** What happens to a run, as it happens. */
import { useEffect, useState } from "preact/hooks";
import { checkReachable } from "./api.ts";
import { ENDED } from "./runs/runs-api.ts";

export interface RunEvent {
  id: number;
  type: string;
  time: string;
  step?: string;
  error?: string;
}

const TYPES = [
  "accepted",
  "step_started",
  "step_completed",
  "step_failed",
  "waiting_for_approval",
  "decided",
  "resumed",
  "completed",
  "failed",
  "cancelled",
];
const CONNECT_AGAIN_MS = 1500;

/**
 * The events of a run so far; the page is drawn again with each. After a lost connection it goes on with the event after the last one,
 * even if the service was restarted meanwhile.
 * @param round change it to start over, for example after a retry
 */
export function useRunEvents(id: string, round: number): readonly RunEvent[] {
  const [events, setEvents] = useState<readonly RunEvent[]>([]);
  useEffect(() => {
    setEvents([]);
    return follow(id, (event) => setEvents((known) => [...known, event]));
  }, [id, round]);
  return events;
}

function follow(id: string, take: (event: RunEvent) => void): () => void {
  let known = -1;
  let lastType = "";
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const connect = (): void => {
    const opened = new EventSource(`/runs/${encodeURIComponent(id)}/events?after=${known}`);
    source = opened;
    const onEvent = ({ data }: MessageEvent<string>): void => {
      const event = JSON.parse(data) as RunEvent;
      if (event.id <= known) return;
      known = event.id;
      lastType = event.type;
      take(event);
    };
    for (const type of TYPES) opened.addEventListener(type, onEvent);
    // The service ends the stream with the run. The browser would connect again by itself, but not after every kind of failure.
    opened.addEventListener("error", () => {
      opened.close();
      if (ENDED.has(lastType)) return;
      void checkReachable();
      timer = setTimeout(connect, CONNECT_AGAIN_MS);
    });
  };
  connect();
  return () => {
    source?.close();
    clearTimeout(timer);
  };
}
