import type { DynamicStructuredTool } from "@langchain/core/tools";
import { invalidConfiguration } from "../src/errors.ts";
import { workflowTools } from "../src/interfaces/langchain/operation-tool.ts";
import type { ToolOptions } from "../src/interfaces/model-calls/fixed-fields.ts";
import type { Logger } from "../src/log.ts";
import type { OntologyStore } from "../src/ontology/ontology-store.ts";
import type { Visible } from "../src/ontology/visible.ts";
import { freeQueryOperation } from "../src/questions/free-query.ts";
import type { GraphQuestion } from "../src/questions/graph-question.ts";
import { questionOperation } from "../src/questions/question-operation.ts";
import type { QuestionLimits } from "../src/questions/limits.ts";
import { withoutWorkflow } from "../src/framework/direct-operations.ts";
import type { DirectOperation } from "../src/framework/operation.ts";
import { FEEDBACK_STORE } from "../src/workflows/customer-feedback/feedback-graph.ts";
import { CUSTOMER_FEEDBACK_QUESTIONS } from "../src/workflows/customer-feedback/questions.ts";
import { IMPERSONAL_DATA } from "../src/workflows/customer-feedback/visible-data.ts";

/** Which questions to the graph become tools, and their limits. */
export interface KnowledgeGraphToolsOptions extends QuestionLimits {
  ontologyStore: OntologyStore;
  /** Default: `CUSTOMER_FEEDBACK_QUESTIONS`. */
  questions?: readonly GraphQuestion[];
  /**
   * Whether to add the tool `query_knowledge_graph`, with which a model writes its own SPARQL. It
   * can't be restricted to one customer. Default: no.
   */
  freeQuery?: boolean;
  /** The store that `query_knowledge_graph` queries; default `feedback_data`. */
  store?: string;
  /** What `query_knowledge_graph` sees; default `IMPERSONAL_DATA`. */
  visible?: Visible;
  /**
   * Whether answers may say who customers are and what they wrote, and free queries see everything.
   * Default: no.
   */
  allowPersonalData?: boolean;
  /** Logs unexpected failures; default: none. */
  logger?: Logger;
}

/**
 * Creates LangChain tools from questions to the knowledge graph.
 * @param toolOptions fields that the program sets, as for `as_tools`. A question that lacks one of
 *   these fields could be asked about other customers, so it is left out.
 * @throws ValidationError (`invalid_configuration`) for an invalid question, if no question has all
 *   of these fields, or for `freeQuery` together with such fields
 * @example
 * const tools = await createKnowledgeGraphTools({ ontologyStore }, { fromContext: ["customer_id"] });
 * const agent = createAgent({ model, tools });
 */
export async function createKnowledgeGraphTools(
  options: KnowledgeGraphToolsOptions,
  toolOptions: ToolOptions = {},
): Promise<DynamicStructuredTool[]> {
  const { ontologyStore, questions = CUSTOMER_FEEDBACK_QUESTIONS, logger } = options;
  const { checkQuestion } = await import("../src/questions/check-question.ts");
  for (const question of questions) checkQuestion(question);
  const { queryRunner } = ontologyStore;
  const set = [...Object.keys(toolOptions.fixed ?? {}), ...(toolOptions.fromContext ?? [])];
  const operations = questions
    .map((question) => questionOperation(question, { ...options, queryRunner }))
    .filter(({ input }) => set.every((name) => Object.hasOwn(input.shape, name)));
  if (set.length > 0 && operations.length === 0) {
    throw invalidConfiguration(
      `No question has ${set.length === 1 ? "the field" : "all of the fields"} ${set.join(", ")}.`,
    );
  }
  const free = options.freeQuery === true ? [freeQuery(options, set)] : [];
  return workflowTools(withoutWorkflow([...operations, ...free], logger), toolOptions);
}

function freeQuery(options: KnowledgeGraphToolsOptions, set: readonly string[]): DirectOperation {
  if (set.length > 0) {
    throw invalidConfiguration(
      `A free query can't be confined by ${set.join(" and ")}. Leave freeQuery out if fields are set.`,
    );
  }
  const { ontologyStore, store = FEEDBACK_STORE, visible = IMPERSONAL_DATA, allowPersonalData = false } = options;
  const seen = allowPersonalData ? undefined : visible;
  return freeQueryOperation({ ...options, queryRunner: ontologyStore.queryRunner, store, visible: seen });
}
