import { withoutAbsent } from "../../../src/json.ts";
import type { PendingResponse } from "../../../src/workflows/customer-feedback/responses/approval.ts";
import type { RunView } from "../../runs/runs.ts";
import { isScopeMissing, type ServiceClient } from "../../service-client.ts";
import { getPage, listPages, ServiceRuns } from "../../runs/service-runs.ts";

/** Lists what waits for a person at a service, oldest first. Needs only the scope `approve`. */
export async function listAt(service: ServiceClient, limit: number): Promise<RunView[]> {
  return listPages(limit, (query) => getPage(service, "/approvals", query));
}

/**
 * Finds a run's workflow id by any of the run's ids. With a token that can't read runs, finds only
 * runs that wait, by workflow id or feedback id.
 */
export async function findAt(service: ServiceClient, id: string): Promise<string | undefined> {
  try {
    return (await new ServiceRuns(service).find(id))?.workflow_id;
  } catch (error) {
    if (!isScopeMissing(error)) throw error;
  }
  for (let after: string | undefined; ;) {
    const { runs, next } = await getPage(service, "/approvals", { limit: "100", ...withoutAbsent({ after }) });
    const found = runs.find(({ workflow_id, key }) => workflow_id === id || key === id);
    if (found || next === undefined) return found?.workflow_id;
    after = next;
  }
}

export async function pendingAt(service: ServiceClient, id: string): Promise<PendingResponse | undefined> {
  const workflowId = await findAt(service, id);
  if (workflowId === undefined) return undefined;
  return (await service.call(`/approvals/${encodeURIComponent(workflowId)}`)) as PendingResponse;
}
