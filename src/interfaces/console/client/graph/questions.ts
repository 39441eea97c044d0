/** Questions that come with the console, and questions that were saved in this browser. */
import { signal } from "@preact/signals";
import { keep, kept } from "../kept.ts";

export interface Question {
  name: string;
  query: string;
}

export const QUESTIONS: readonly Question[] = [
  {
    name: "What are people unhappy about?",
    query: `SELECT ?category (COUNT(?feedback) AS ?complaints) WHERE {
  ?feedback abi:sentiment "negative" ; abi:hasCategory ?category .
}
GROUP BY ?category
ORDER BY DESC(?complaints) ?category`,
  },
  {
    name: "Which customers are unhappy, and what are they worth?",
    query: `SELECT ?name (COUNT(?feedback) AS ?complaints) ?segment ?value WHERE {
  ?feedback abi:sentiment "negative" ; abi:providedBy ?customer .
  GRAPH <http://example.org/abi/stores/customer_data> {
    ?customer abi:name ?name ; abi:segment ?segment ; abi:lifetimeValue ?value .
  }
}
GROUP BY ?name ?segment ?value
ORDER BY DESC(?complaints) DESC(?value) ?name
LIMIT 10`,
  },
  {
    name: "Which urgent tickets are open?",
    query: `SELECT ?ticket ?subject ?sentiment (GROUP_CONCAT(?category; separator=", ") AS ?about) WHERE {
  ?t abi:priority "high" ; abi:status "open" ; abi:id ?ticket ; abi:forFeedback ?feedback .
  ?feedback abi:subject ?subject ; abi:sentiment ?sentiment ; abi:hasCategory ?category .
}
GROUP BY ?ticket ?subject ?sentiment
ORDER BY ?ticket`,
  },
  {
    name: "Which words led to each sentiment?",
    query: `SELECT ?id ?sentiment ?score ?words WHERE {
  ?feedback abi:id ?id ; abi:sentiment ?sentiment ; abi:sentimentScore ?score ; abi:sentimentEvidence ?words .
}
ORDER BY ?score ?id
LIMIT 50`,
  },
  {
    name: "Who decided what on which email?",
    query: `SELECT ?when ?who ?decision ?subject WHERE {
  ?d a abi:ResponseDecision ; abi:decision ?decision ; prov:endedAtTime ?when ;
    prov:wasAssociatedWith/abi:name ?who ; prov:used/abi:subject ?subject .
}
ORDER BY DESC(?when)
LIMIT 50`,
  },
  {
    name: "Whose answer has not been sent?",
    query: `SELECT ?id ?customer WHERE {
  ?feedback abi:action "auto_respond" ; abi:id ?id ; abi:providedBy ?customer .
  FILTER NOT EXISTS { ?feedback abi:responseSent true }
}
ORDER BY ?id`,
  },
];

const KEY = "abi-console-questions";

function stored(): readonly Question[] {
  try {
    const value: unknown = JSON.parse(kept(KEY) ?? "[]");
    return Array.isArray(value) ? value.filter(isQuestion) : [];
  } catch {
    return [];
  }
}

/** Anything else is ignored, because other pages at this address may have stored it. */
const isQuestion = (value: Partial<Question> | null): value is Question =>
  typeof value?.name === "string" && typeof value.query === "string";

export const saved = signal<readonly Question[]>(stored());

function set(questions: readonly Question[]): void {
  saved.value = questions;
  keep(KEY, JSON.stringify(questions));
}

export const save = (question: Question): void =>
  set([...saved.value.filter(({ name }) => name !== question.name), question]);

export const forget = (name: string): void => set(saved.value.filter((question) => question.name !== name));
