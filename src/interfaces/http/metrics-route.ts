import type { HttpParts, Route } from "./route.ts";

/** Metrics of this process and of the run database, for Prometheus to scrape. */
export const metricsRoutes = ({ metrics }: HttpParts): Route[] =>
  metrics === undefined
    ? []
    : [
        {
          method: "GET",
          path: "/metrics",
          id: "metrics",
          tag: "health",
          summary: "Metrics for Prometheus",
          access: "feedback:read",
          operations: [],
          answers: {
            200: { description: "All metrics in the text format.", types: { "text/plain": { type: "string" } } },
          },
          handle: async () => new Response(await metrics.text(), { headers: { "content-type": metrics.contentType } }),
        },
      ];
