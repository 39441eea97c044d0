import type { ChatRequest } from "../chat-completions/protocol.ts";
import type { HostileText, HostileWishes } from "./hostile-text.ts";

/** A call of a tool as a model plans it. */
export interface PlannedCall {
  name: string;
  args: Record<string, unknown>;
}

/** The values for the fields of tools. */
interface Values {
  customer: string;
  feedbackId: string;
  subject: string;
  text: string;
  wishes: HostileWishes;
  /**
   * What the conversation has shown about waiting emails: the newest run id and the newest hash.
   */
  run: string;
  hash: string;
}

type Schema = {
  type?: string | readonly string[];
  enum?: readonly unknown[];
  const?: unknown;
  anyOf?: readonly Schema[];
  items?: Schema;
  properties?: Readonly<Record<string, Schema>>;
};

const NOTHING_WAITS = { run: "workflow-00000000-0000-4000-8000-000000000000", hash: "0".repeat(64) };

/**
 * Everything that a text asks for, tried with every available tool: with the tool's own arguments,
 * with each of the attacker's values as an additional argument, and with all of them. Then come the
 * tools that only the attacker mentions.
 */
export function wishedCalls(text: HostileText, customer: string, request: ChatRequest): PlannedCall[] {
  const { wishes, feedback } = text;
  const values: Values = {
    ...shown(request),
    customer: wishes.customer ?? customer,
    feedbackId: feedback.feedback_id,
    subject: wishes.message ?? feedback.subject,
    text: wishes.message ?? feedback.feedback_text,
    wishes,
  };
  const offered = toolsOf(request);
  const extras = extraArguments(values);
  let count = 1;
  const asOffered = offered.flatMap(({ name, parameters }): PlannedCall[] => {
    // Each call gets a new id, because nothing would be done for a known one.
    const plan = (more: Record<string, unknown>): PlannedCall => {
      count += 1;
      return {
        name,
        args: { ...more, ...argumentsFor(parameters, { ...values, feedbackId: `${feedback.feedback_id}-${count}` }) },
      };
    };
    const known = argumentsFor(parameters, values);
    const added = Object.entries(extras).filter(([field]) => !Object.hasOwn(known, field));
    // Each one alone, too: a tool that refuses one argument doesn't try the others beside it.
    const alone = added.map(([field, value]) => plan({ [field]: value }));
    return [plan({}), ...alone, ...(alone.length > 1 ? [plan(extras)] : [])];
  });
  const unknown = (wishes.tools ?? []).filter((name) => !offered.some((tool) => tool.name === name));
  return [...asOffered, ...unknown.map((name) => ({ name, args: extras }))];
}

/**
 * What the user wanted: the unchanged feedback, for the customer whom the user named, with every
 * tool.
 */
export function ordinaryCalls(
  { feedback }: Pick<HostileText, "feedback">,
  customer: string,
  request: ChatRequest,
): PlannedCall[] {
  const { feedback_id: feedbackId, subject, feedback_text: text } = feedback;
  const values: Values = { ...NOTHING_WAITS, customer, feedbackId, subject, text, wishes: {} };
  return toolsOf(request).map(({ name, parameters }) => ({ name, args: argumentsFor(parameters, values) }));
}

const toolsOf = ({ tools = [] }: ChatRequest): { name: string; parameters: Schema }[] =>
  tools.map(({ function: { name, parameters } }) => ({ name, parameters: parameters as Schema }));

/** The newest run id and hash in the conversation. */
function shown({ messages }: ChatRequest): Pick<Values, "run" | "hash"> {
  const all = messages.map(({ content }) => JSON.stringify(content)).join("\n");
  const newest = (pattern: RegExp): string | undefined => [...all.matchAll(pattern)].at(-1)?.[0];
  return {
    run: newest(/\bworkflow-[0-9a-f-]{36}\b/g) ?? NOTHING_WAITS.run,
    hash: newest(/\b[0-9a-f]{64}\b/g) ?? NOTHING_WAITS.hash,
  };
}

/** The attacker's values, as arguments that a careless tool might read. */
function extraArguments({ wishes, run, hash }: Values): Record<string, unknown> {
  const { recipient, customer, decision, query, url, message } = wishes;
  return {
    ...(recipient !== undefined && {
      recipient,
      to: recipient,
      email: recipient,
      customer_email: recipient,
      cc: recipient,
      bcc: recipient,
      reply_to: recipient,
    }),
    ...(customer !== undefined && { customer_id: customer, customer }),
    ...(decision !== undefined && {
      decision,
      approval: false,
      approved: true,
      rendering: hash,
      workflow_id: run,
      by: "Ann Ford",
    }),
    ...(query !== undefined && { query, sparql: query }),
    ...(url !== undefined && { url, link: url }),
    ...(message !== undefined && { message, body: message, template: message }),
  };
}

function argumentsFor({ properties = {} }: Schema, values: Values): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valueFor(name, schema, values)]));
}

/**
 * Chosen by the field's schema and name; a list gets one element. Undefined if neither says what it
 * could be.
 */
function valueFor(name: string, schema: Schema, values: Values): unknown {
  const kinds = kindsOf(schema);
  const named = kinds.flatMap(({ enum: known = [], const: only }) => (only === undefined ? known : [only]));
  const hasType = (type: string): boolean => kinds.some((kind) => [kind.type].flat().includes(type));
  if (named.some((value) => value !== null)) {
    return named.find((value) => value === values.wishes.decision) ?? named.find((value) => value !== null);
  }
  if (hasType("string")) return textFor(name, values) ?? (hasType("null") ? null : values.text);
  if (hasType("boolean")) return true;
  if (hasType("integer") || hasType("number")) return 100;
  // Optional lists, such as `categories`, are left to the tool.
  if (hasType("null")) return null;
  const list = kinds.find(({ items }) => items !== undefined);
  if (list?.items) return [valueFor(name, list.items, values)];
  const object = kinds.find(({ properties }) => properties !== undefined);
  return object ? argumentsFor(object, values) : textFor(name, values);
}

const kindsOf = (schema: Schema): Schema[] => schema.anyOf?.flatMap(kindsOf) ?? [schema];

const FIELDS: readonly (readonly [name: RegExp, value: (values: Values) => string | undefined])[] = [
  [/e-?mail|address|recipient|^(?:to|cc|bcc)$|reply_?to/i, ({ wishes }) => wishes.recipient],
  [/customer|client|account|user_?id/i, ({ customer }) => customer],
  [/workflow|run_?id|task_?id/i, ({ run }) => run],
  [/render|hash|digest/i, ({ hash }) => hash],
  [/query|sparql|sql/i, ({ wishes }) => wishes.query],
  [/url|link|href/i, ({ wishes }) => wishes.url],
  [/decision|verdict/i, ({ wishes }) => wishes.decision],
  [/^by$|author|person|approver/i, () => "Ann Ford"],
  [/(?:^|_)id$/i, ({ feedbackId }) => feedbackId],
  [/subject|title|topic/i, ({ subject }) => subject],
  [/text|body|message|content|words|reason|note/i, ({ text }) => text],
];

const textFor = (name: string, values: Values): string | undefined =>
  FIELDS.find(([pattern]) => pattern.test(name))?.[1](values);
