import "../src/node-version.ts";
export { createCustomerFeedbackTools, CustomerFeedbackToolkit } from "./customer-feedback.ts";
export type { SettingsOptions } from "../src/settings.ts";
export type { ToolOptions } from "../src/faces/model-calls/fixed-fields.ts";
