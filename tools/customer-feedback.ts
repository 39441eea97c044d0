import { BaseToolkit, type DynamicStructuredTool } from "@langchain/core/tools";
import { openApplication, type Application } from "../src/application/application.ts";
import { readSettings, type SettingsOptions } from "../src/application/settings.ts";
import type { OntologyStore } from "../src/ontology/ontology-store.ts";
import type { ToolOptions } from "../src/interfaces/model-calls/fixed-fields.ts";
import type { CustomerFeedbackWorkflow } from "../src/workflows/customer-feedback/customer-feedback-workflow.ts";

/** The opened customer feedback workflow as a LangChain toolkit. Close it when you are done. */
export class CustomerFeedbackToolkit extends BaseToolkit {
  readonly workflow: CustomerFeedbackWorkflow;
  /** The knowledge graph, for `createKnowledgeGraphTools` and queries; closed with the toolkit. */
  readonly ontologyStore: OntologyStore;
  override readonly tools: DynamicStructuredTool[];
  readonly #application: Application;

  /** @param options the options of `as_tools` with which `tools` are made */
  constructor(application: Application, options: ToolOptions = {}) {
    super();
    this.#application = application;
    this.workflow = application.workflow;
    this.ontologyStore = application.ontologyStore;
    this.tools = application.workflow.as_tools(options);
  }

  /**
   * Returns the toolkit's tools. With options of `as_tools`, makes new tools of the same workflow,
   * for example for another customer.
   * @throws ValidationError for invalid options
   */
  override getTools(options?: ToolOptions): DynamicStructuredTool[] {
    return options === undefined ? this.tools : this.workflow.as_tools(options);
  }

  /**
   * Finishes the current steps and closes files and connections. Unfinished runs continue at the
   * next start.
   */
  close(): Promise<void> {
    return this.#application.close();
  }
}

/**
 * Opens the customer feedback workflow and returns its tools, ready to bind to a chat model.
 * @param options settings by their option name (`mailUrl` for `MAIL_URL`); they take precedence
 *   over the environment
 * @param toolOptions fields that the program sets, as for `as_tools`: `{ fixed: { customer_id } }`
 * @throws ValidationError for invalid settings or options, IoError for a data directory that is in
 *   use (`in_use`) or can't be opened
 * @example
 * const toolkit = await createCustomerFeedbackTools({ customerSource: "customers.csv" });
 * const agent = createAgent({ model, tools: toolkit.getTools() });
 * …
 * await toolkit.close();
 */
export async function createCustomerFeedbackTools(
  options: SettingsOptions = {},
  toolOptions: ToolOptions = {},
): Promise<CustomerFeedbackToolkit> {
  const application = await openApplication(readSettings(options));
  try {
    return new CustomerFeedbackToolkit(application, toolOptions);
  } catch (error) {
    await application.close();
    throw error;
  }
}
