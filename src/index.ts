/**
 * Workflows, the engine that runs them, the knowledge graph, and the ready-made customer feedback
 * workflow.
 * @module abi-workflows
 */
import "./runtime/node-version.ts";

// The framework: write your own workflow.
export { Workflow, type BatchOptions, type StartOptions, type SubmissionOrigin } from "./framework/workflow.ts";
export type { WorkflowConfiguration } from "./framework/configuration.ts";
export type { ToolOptions } from "./interfaces/model-calls/fixed-fields.ts";
export {
  direct,
  durable,
  type CallOptions,
  type DirectOperation,
  type Audience,
  type DurableOperation,
  type Operation,
  type Scope,
  type StreamOperation,
} from "./framework/operation.ts";
export { Integration } from "./framework/integration.ts";
export { Pipeline, type PipelineToolOptions } from "./framework/pipeline.ts";
export type { RunResult, StepHistory, WorkflowStatus } from "./framework/result.ts";
export type { RouteContext, WorkflowRouter } from "./interfaces/http/workflow-router.ts";
export type { ToolProgress } from "./framework/progress.ts";
export {
  AbiError,
  ConflictError,
  IoError,
  isAbiError,
  UnexpectedError,
  ValidationError,
  type ErrorType,
  type FieldIssue,
  type WireError,
} from "./errors.ts";
export { identifier } from "./identifier.ts";
export { tidyIdentifier } from "./tidy-identifier.ts";
export type { Json } from "./json.ts";
export { createLogger, silentLogger, type Logger } from "./log.ts";

// Durable execution.
export type {
  Decision,
  PendingDecision,
  Run,
  RunContext,
  RunFilter,
  RunStatus,
  Step,
  StepAttempt,
  StepEvent,
  WorkflowEngine,
} from "./engine/engine.ts";
export { DurableEngine, type EngineOptions, type DurableEngineOptions } from "./engine/durable-engine.ts";
export type { RunStore } from "./engine/run-store.ts";
export { DEFAULT_RETRY_POLICY, type RetryPolicy } from "./retry-policies.ts";

// The knowledge graph.
export type {
  Bindings,
  BindingValue,
  Change,
  OntologyStore,
  Pattern,
  QueryResult,
  Row,
} from "./ontology/ontology-store.ts";
export type { QueryAnswer, QueryRequest, QueryRunner } from "./ontology/query-runner.ts";
export type { Visible, VisiblePart } from "./ontology/visible.ts";
export { ABIGraph } from "./ontology/abi-graph.ts";
export { entityUri } from "./ontology/entity-uri.ts";
export { iri } from "./ontology/iri.ts";
export { OxigraphOntologyStore } from "./ontology/oxigraph/oxigraph-ontology-store.ts";
export {
  SparqlEndpointStore,
  type SparqlEndpointStoreOptions,
} from "./ontology/sparql-endpoint/sparql-endpoint-store.ts";
export { ask, construct, select } from "./ontology/queries.ts";
export { storeIri } from "./ontology/store-name.ts";
export { abi, PREFIXES, prov, shapesUrl, vocabularyUrl } from "./ontology/vocabulary.ts";

// Integrations and pipelines.
export { createCustomerSource } from "./integrations/customers/create-customer-source.ts";
export type { CustomerRecord, CustomerRequest, CustomerSource } from "./integrations/customers/customer-source.ts";
export { CustomerDataPipeline, type CustomerDataPipelineConfiguration } from "./pipelines/customer-data-pipeline.ts";
export { createMailTransport } from "./integrations/email/create-mail-transport.ts";
export { EmailIntegration, type EmailIntegrationConfiguration } from "./integrations/email/email-integration.ts";
export type { MailMessage, MailTransport } from "./integrations/email/mail-transport.ts";
export { createTicketSystem } from "./integrations/tickets/create-ticket-system.ts";
export type { TicketRequest, TicketSystem } from "./integrations/tickets/ticket-system.ts";

// Text analysis.
export {
  createChatModelAnalyzers,
  type Analyzers,
  type ChatModelAnalyzersOptions,
} from "./analysis/chat-model/chat-model-analyzers.ts";
export { CATEGORIES, type Category } from "./analysis/categories.ts";
export { EmbeddedFeedbackCategorizer } from "./analysis/embedded/embedded-feedback-categorizer.ts";
export { EmbeddedSentimentAnalyzer } from "./analysis/embedded/embedded-sentiment-analyzer.ts";
export { readTrainedWeights } from "./analysis/embedded/read-trained-weights.ts";
export type { TrainedWeights } from "./analysis/embedded/trained-weights.ts";
export type { CategoriesResult, FeedbackCategorizer } from "./analysis/feedback-categorizer.ts";
export type { AnalysisFallback, Sentiment, SentimentAnalyzer, SentimentResult } from "./analysis/sentiment-analyzer.ts";

// The customer feedback workflow.
export { CustomerFeedbackWorkflow } from "./workflows/customer-feedback/customer-feedback-workflow.ts";
export type {
  CustomerFeedbackWorkflowConfiguration,
  ResponseCap,
} from "./workflows/customer-feedback/configuration.ts";
export type {
  DecidedResponse,
  PendingResponse,
  ResponseApproval,
  ResponseEdit,
  ResponseRejection,
} from "./workflows/customer-feedback/responses/approval.ts";
export { CustomerFeedbackWorkflowParameters } from "./workflows/customer-feedback/parameters.ts";
export {
  DEFAULT_ESCALATION_POLICY,
  decideAction,
  type EscalationPolicy,
} from "./workflows/customer-feedback/policy.ts";
export { IMPERSONAL_DATA } from "./workflows/customer-feedback/visible-data.ts";
export type { CustomerFeedbackResult } from "./workflows/customer-feedback/result.ts";

// Metrics.
export { createMetrics, type Metrics, type ObservedRequest } from "./telemetry/metrics.ts";
export { traceRequest, type AnsweredRequest } from "./telemetry/tracing.ts";

// All parts, put together as the settings say.
export { openApplication, type Application, type ApplicationOptions } from "./application/application.ts";
export type { CreateWorkflows, WorkflowParts } from "./application/own-workflows.ts";
export { Service, type ServiceOperation, type ServiceParts, type ServicePipeline } from "./framework/service.ts";
export { readSettings, type Settings, type SettingsOptions } from "./application/settings.ts";
export { SETTINGS } from "./application/settings.ts";
