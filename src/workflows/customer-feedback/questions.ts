import { z } from "zod";
import { CATEGORIES } from "../../analysis/categories.ts";
import { SENTIMENTS } from "../../analysis/sentiment-analyzer.ts";
import { identifier } from "../../identifier.ts";
import type { Bindings } from "../../ontology/ontology-store.ts";
import { storeIri } from "../../ontology/store-name.ts";
import { graphQuestion, type GraphQuestion } from "../../questions/graph-question.ts";
import { FEEDBACK_STORE } from "./feedback-graph.ts";

const customer_id = identifier("ID of the customer, exactly as it was given.");
const oneCustomer = identifier("Only for this customer; leave it out for all.").optional();
const category = z.enum(CATEGORIES).optional().describe("Only complaints in this category; leave it out for all.");

const day = z.iso.date();
const moment = z.iso.datetime({ offset: true });

/** A day, or a time with its offset. Models write either. */
const dateTime = z.string().refine((text) => day.safeParse(text).success || moment.safeParse(text).success, {
  error: "must be a day such as 2026-11-01, or a time with its offset such as 2026-11-01T09:00:00Z",
});
const since = dateTime.optional().describe("Only from this day or time on, such as 2026-11-01.");
const until = dateTime.optional().describe("Only before this day or time, such as 2026-12-01.");

const LONG_AGO = "0001-01-01";
const FAR_OFF = "9999-01-01";

interface Filters {
  since?: string | undefined;
  until?: string | undefined;
  [parameter: string]: string | undefined;
}

/**
 * A missing time becomes one that includes all feedback; any other missing value leaves its
 * variable unbound.
 */
function bindings({ since: from = LONG_AGO, until: to = FAR_OFF, ...others }: Filters): Bindings {
  const given = Object.entries(others).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(given), since: new Date(from), until: new Date(to) };
}

/** Finds customers by their ids in the store `customer_data`, whatever their URIs are. */
const CUSTOMER = `GRAPH <${storeIri("customer_data")}> { ?customer abi:id ?customer_id }`;
const WHO = `OPTIONAL { GRAPH <${storeIri("customer_data")}> { ?customer abi:name ?customer_name } }
  OPTIONAL { GRAPH <${storeIri("customer_data")}> { ?customer abi:email ?customer_email } }`;
const ABOUT = `(GROUP_CONCAT(DISTINCT ?category; separator=" ") AS ?categories)`;

const id = z.string();
const time = z.string().describe("ISO 8601, UTC.");
const sentiment = z.enum(SENTIMENTS);
const categories = z.preprocess(
  (text) => (typeof text === "string" ? text.split(" ").toSorted() : text),
  z.array(z.string()),
);
const who = { customer_name: z.string().optional(), customer_email: z.string().optional() };

const Feedback = z.object({
  feedback_id: id,
  customer_id: id,
  received_at: time,
  sentiment,
  categories,
  action: z.string(),
  answered_at: time.optional(),
  ticket_id: id.optional(),
  subject: z.string(),
});

/** The most common questions about customer feedback, for agents and programs. */
export const CUSTOMER_FEEDBACK_QUESTIONS: readonly GraphQuestion[] = [
  graphQuestion("get_customer_history", {
    description:
      "Show the feedback that one customer has given, newest first: when, what it was about, what was done, and whether an email answered it.",
    example: { customer_id: "C-1001", since: "2026-11-01" },
    store: FEEDBACK_STORE,
    parameters: z.strictObject({ customer_id, since, until }),
    bindings,
    sparql: `
      SELECT ?feedback_id ?customer_id ?received_at ?sentiment ?action ?answered_at ?ticket_id ?subject ${ABOUT} {
        ${CUSTOMER}
        ?feedback abi:providedBy ?customer ; abi:id ?feedback_id ; abi:timestamp ?received_at ; abi:sentiment ?sentiment ;
          abi:action ?action ; abi:subject ?subject ; abi:hasCategory ?category .
        FILTER(?received_at >= ?since && ?received_at < ?until)
        OPTIONAL { ?feedback abi:responseTime ?answered_at }
        OPTIONAL { ?ticket abi:forFeedback ?feedback ; abi:id ?ticket_id }
      }
      GROUP BY ?feedback_id ?customer_id ?received_at ?sentiment ?action ?answered_at ?ticket_id ?subject
      ORDER BY DESC(?received_at) ?feedback_id`,
    row: Feedback,
    personal: ["subject"],
  }),
  graphQuestion("look_up_feedback", {
    description:
      "Show what is known about one piece of feedback: when it came, what it was about, what was done, and what " +
      "happened to the email to the customer.",
    example: { feedback_id: "F-2001" },
    store: FEEDBACK_STORE,
    parameters: z.strictObject({
      feedback_id: identifier("Id of the feedback, exactly as it was given."),
      customer_id: oneCustomer,
    }),
    sparql: `
      SELECT ?feedback_id ?customer_id ?received_at ?sentiment ?action ?mail ?answered_at ?ticket_id ?subject ?text ?customer_name
        ?customer_email ${ABOUT} {
        ?feedback abi:id ?feedback_id ; a abi:Feedback ; abi:providedBy ?customer ; abi:timestamp ?received_at ;
          abi:sentiment ?sentiment ; abi:action ?action ; abi:subject ?subject ; abi:text ?text ; abi:hasCategory ?category .
        ${CUSTOMER}
        OPTIONAL { ?feedback abi:responseTime ?answered_at }
        OPTIONAL { ?ticket abi:forFeedback ?feedback ; abi:id ?ticket_id }
        ${WHO}
        BIND(EXISTS { ?feedback abi:hasDraft/^prov:used/abi:decision "reject" } AS ?isRejected)
        BIND(EXISTS { ?feedback abi:responseWithheld ?true } AS ?isWithheld)
        BIND(EXISTS { ?feedback abi:hasDraft ?draft } AS ?isWritten)
        BIND(IF(?isWithheld, "withheld", IF(?isWritten, "pending", "none")) AS ?unsent)
        BIND(IF(BOUND(?answered_at), "sent", IF(?isRejected, "rejected", ?unsent)) AS ?mail)
      }
      GROUP BY ?feedback_id ?customer_id ?received_at ?sentiment ?action ?mail ?answered_at ?ticket_id ?subject ?text ?customer_name
        ?customer_email`,
    row: Feedback.extend({
      mail: z
        .enum(["sent", "rejected", "withheld", "pending", "none"])
        .describe(
          "rejected: a person rejected it. withheld: the customer must not get it any more. pending: it waits for a " +
            "person, or is being sent, unless its run was cancelled or has failed.",
        ),
      text: z.string(),
      ...who,
    }),
    personal: ["subject", "text", "customer_name", "customer_email"],
  }),
  graphQuestion("list_open_escalations", {
    description:
      "List the open tickets in the knowledge graph that wait for a person: urgent ones first, then oldest first.",
    example: { priority: "high" },
    store: FEEDBACK_STORE,
    parameters: z.strictObject({
      customer_id: oneCustomer,
      priority: z.enum(["high", "normal"]).optional().describe("Only tickets of this priority; leave it out for all."),
    }),
    sparql: `
      SELECT ?ticket_id ?priority ?opened_at ?feedback_id ?customer_id ?sentiment ?subject ?customer_name ?customer_email ${ABOUT} {
        ${CUSTOMER}
        ?feedback abi:providedBy ?customer .
        ?ticket abi:forFeedback ?feedback ; a abi:Ticket ; abi:id ?ticket_id ; abi:priority ?priority .
        ?feedback abi:id ?feedback_id ; abi:timestamp ?opened_at ; abi:sentiment ?sentiment ; abi:subject ?subject ;
          abi:hasCategory ?category .
        FILTER NOT EXISTS { ?ticket abi:status ?status . FILTER(?status != "open") }
        ${WHO}
      }
      GROUP BY ?ticket_id ?priority ?opened_at ?feedback_id ?customer_id ?sentiment ?subject ?customer_name ?customer_email
      ORDER BY ?priority ?opened_at ?ticket_id`,
    row: z.object({
      ticket_id: id,
      priority: z.string(),
      opened_at: time,
      feedback_id: id,
      customer_id: id,
      sentiment,
      categories,
      subject: z.string(),
      ...who,
    }),
    personal: ["subject", "customer_name", "customer_email"],
  }),
  graphQuestion("count_complaints", {
    description:
      "Count negative feedback by category and by day, month or year, oldest first. Feedback in several " +
      "categories counts in each.",
    example: { since: "2026-01-01", per: "month" },
    store: FEEDBACK_STORE,
    parameters: z.strictObject({
      category,
      since,
      until,
      per: z.enum(["day", "month", "year"]).default("month").describe("The period to count by, in UTC."),
      customer_id: oneCustomer,
    }),
    bindings: ({ per, ...filters }) => ({ ...bindings(filters), length: { day: 10, month: 7, year: 4 }[per] }),
    sparql: `
      SELECT ?period ?category (COUNT(DISTINCT ?feedback) AS ?complaints) (COUNT(DISTINCT ?customer) AS ?customers) {
        ${CUSTOMER}
        ?feedback abi:providedBy ?customer ; abi:sentiment "negative" ; abi:hasCategory ?category ; abi:timestamp ?when .
        FILTER(?when >= ?since && ?when < ?until)
        BIND(SUBSTR(STR(?when), 1, ?length) AS ?period)
      }
      GROUP BY ?period ?category
      ORDER BY ?period DESC(?complaints) ?category`,
    row: z.object({
      period: z.string().describe("2026, 2026-11 or 2026-11-22."),
      category: z.string(),
      complaints: z.int(),
      customers: z.int().describe("How many customers the complaints are from."),
    }),
  }),
  graphQuestion("find_similar_complaints", {
    description:
      "Find a customer's other negative feedback about the same things as a piece of feedback, most similar first.",
    example: { customer_id: "C-1001", feedback_id: "F-2001" },
    store: FEEDBACK_STORE,
    parameters: z.strictObject({
      customer_id,
      feedback_id: identifier("Id of the feedback to compare with; it must be this customer's."),
    }),
    bindings: ({ customer_id: customer, feedback_id: known_id }) => ({ customer_id: customer, known_id }),
    sparql: `
      SELECT ?feedback_id ?customer_id ?received_at ?action ?subject (COUNT(DISTINCT ?category) AS ?shared) ${ABOUT} {
        ${CUSTOMER}
        ?known abi:id ?known_id ; abi:providedBy ?customer ; abi:hasCategory ?category .
        ?feedback abi:providedBy ?customer ; abi:hasCategory ?category ; abi:sentiment "negative" ; abi:id ?feedback_id ;
          abi:timestamp ?received_at ; abi:action ?action ; abi:subject ?subject .
        FILTER(?feedback != ?known)
      }
      GROUP BY ?feedback_id ?customer_id ?received_at ?action ?subject
      ORDER BY DESC(?shared) DESC(?received_at) ?feedback_id`,
    row: z.object({
      feedback_id: id,
      customer_id: id,
      received_at: time,
      action: z.string(),
      categories: categories.describe("The categories that both have."),
      subject: z.string(),
    }),
    personal: ["subject"],
  }),
  graphQuestion("list_sent_mails", {
    description:
      "List the automatic emails that went to one customer, newest first, each with the feedback it answered.",
    example: { customer_id: "C-1001" },
    store: FEEDBACK_STORE,
    parameters: z.strictObject({ customer_id, since, until }),
    bindings,
    sparql: `
      SELECT ?feedback_id ?customer_id ?sent_at ?message_id ?action ?subject ?customer_name ?customer_email {
        ${CUSTOMER}
        ?feedback abi:providedBy ?customer ; abi:responseTime ?sent_at ; abi:responseId ?message_id ; abi:id ?feedback_id ;
          abi:action ?action ; abi:subject ?subject .
        FILTER(?sent_at >= ?since && ?sent_at < ?until)
        ${WHO}
      }
      ORDER BY DESC(?sent_at) ?feedback_id`,
    row: z.object({
      feedback_id: id,
      customer_id: id,
      sent_at: time,
      message_id: z.string().describe("Message-ID of the email."),
      action: z
        .string()
        .describe("auto_respond: the email was the answer. escalate: the email said that a person will answer."),
      subject: z.string().describe("Subject of the feedback."),
      ...who,
    }),
    personal: ["subject", "customer_name", "customer_email"],
  }),
];
