import type { Quad } from "@rdfjs/types";
import { IoError } from "../../src/errors.ts";
import type { OntologyStore } from "../../src/ontology/ontology-store.ts";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { PREFIXES } from "../../src/ontology/vocabulary.ts";
import type { PendingResponse } from "../../src/workflows/customer-feedback/responses/approval.ts";
import type { CustomerFeedbackWorkflow } from "../../src/workflows/customer-feedback/customer-feedback-workflow.ts";
import { feedback, startFeedback, type Feedback } from "./feedback.ts";

/** The listed steps before the first one with an external effect. */
export const ANALYZED = ["customer_data_retrieved", "sentiment_analyzed", "feedback_categorized", "feedback_stored"];
export const by = "Ann Ford";

/** Processes one piece of feedback, whose email then waits for approval. */
export async function startWaiting(
  fields: Record<string, unknown> = {},
  configuration: Parameters<typeof startFeedback>[0] = {},
  surroundings: Parameters<typeof startFeedback>[1] = {},
): Promise<Feedback & { id: string; pending: PendingResponse }> {
  const parts = await startFeedback({ approval: true, ...configuration }, surroundings);
  const { workflow_id: id = "" } = await parts.workflow.run(feedback(fields));
  return { ...parts, id, pending: await pendingOf(parts.workflow, id) };
}

export async function pendingOf(workflow: CustomerFeedbackWorkflow, id: string): Promise<PendingResponse> {
  const pending = await workflow.getPendingResponse(id);
  if (!pending) throw new Error("nothing waits");
  return pending;
}

export const setCustomer = (store: OntologyStore, property: string, value: string | boolean): Promise<void> =>
  store.update(
    "customer_data",
    `${PREFIXES} DELETE { ?customer ${property} ?old } INSERT { ?customer ${property} ?value }
     WHERE { ?customer abi:id "C-1" . OPTIONAL { ?customer ${property} ?old } }`,
    { value },
  );

const DRAFT = "?draft a abi:ResponseDraft";

/** Replaces a property of the waiting drafts, or removes it. */
export const setDrafts = (store: OntologyStore, property: string, value?: string): Promise<void> =>
  store.update(
    "feedback_data",
    `${PREFIXES} DELETE { ?draft ${property} ?old } ${value === undefined ? "" : `INSERT { ?draft ${property} ?value }`}
     WHERE { ${DRAFT} ; ${property} ?old }`,
    value === undefined ? {} : { value },
  );

export const deleteDrafts = (store: OntologyStore): Promise<void> =>
  store.update("feedback_data", `${PREFIXES} DELETE { ?draft ?property ?value } WHERE { ${DRAFT} ; ?property ?value }`);

/** A store that refuses a change if its quads meet the test's condition. */
export async function breakableStore() {
  const store = await OxigraphOntologyStore.open({ path: ":memory:" });
  let refuses: (quads: readonly Quad[]) => boolean = () => false;
  const change: OntologyStore["change"] = async (name, { insert = [], ...others }) => {
    const quads = [...insert];
    if (refuses(quads)) throw new IoError("The disk is full.", { code: "store_unavailable" });
    return store.change(name, { ...others, insert: quads });
  };
  const insert: OntologyStore["insert"] = (name, quads) => change(name, { insert: quads });
  const ontologyStore = new Proxy<OntologyStore>(store, {
    get: (target, name) => {
      if (name === "insert") return insert;
      if (name === "change") return change;
      const member = Reflect.get(target, name) as unknown;
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
  return { ontologyStore, breakWhen: (condition: typeof refuses) => void (refuses = condition) };
}
