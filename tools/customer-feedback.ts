import { BaseToolkit, type DynamicStructuredTool } from "@langchain/core/tools";
import { openApplication, type Application } from "../src/application.ts";
import { readSettings, type SettingsOptions } from "../src/settings.ts";
import type { CustomerFeedbackWorkflow } from "../src/workflows/customer-feedback/customer-feedback-workflow.ts";

/** The customer feedback workflow as a LangChain toolkit, with everything behind it open and running. */
export class CustomerFeedbackToolkit extends BaseToolkit {
  readonly workflow: CustomerFeedbackWorkflow;
  override readonly tools: DynamicStructuredTool[];
  readonly #application: Application;

  constructor(application: Application) {
    super();
    this.#application = application;
    this.workflow = application.workflow;
    this.tools = application.workflow.as_tools();
  }

  override getTools(): DynamicStructuredTool[] {
    return this.tools;
  }

  /** Lets the steps in hand finish and frees files and connections. Runs that are not finished go on at the next start. */
  close(): Promise<void> {
    return this.#application.close();
  }
}

/**
 * Opens the customer feedback workflow and returns its tools, ready to bind to a chat model.
 * @param options the settings that the environment gives, by their other name (`mailUrl` for `MAIL_URL`); they come first
 * @throws ValidationError for settings that cannot work or a data directory that is in use
 * @example
 * const toolkit = await createCustomerFeedbackTools({ customerSource: "customers.csv" });
 * const agent = createAgent({ model, tools: toolkit.getTools() });
 * …
 * await toolkit.close();
 */
export async function createCustomerFeedbackTools(options: SettingsOptions = {}): Promise<CustomerFeedbackToolkit> {
  return new CustomerFeedbackToolkit(await openApplication(readSettings(options)));
}
