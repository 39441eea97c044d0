/** Follows the events of a run live. */
import { useEffect, useState } from "preact/hooks";
import { ENDED } from "../runs/runs-api.ts";
import { listen } from "./server-events.ts";

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

/**
 * The events of a run so far. The component is rendered again at each event.
 * @param round change it to start over, for example after a retry
 */
export function useRunEvents(id: string, round: number): readonly RunEvent[] {
  const [events, setEvents] = useState<readonly RunEvent[]>([]);
  useEffect(() => {
    setEvents([]);
    let lastType = "";
    return listen({
      path: `/runs/${encodeURIComponent(id)}/events`,
      types: TYPES,
      take: (type, data) => {
        lastType = type;
        setEvents((known) => [...known, data as RunEvent]);
      },
      isOver: () => ENDED.has(lastType),
    });
  }, [id, round]);
  return events;
}
