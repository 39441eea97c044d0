/** Whom and what hostile texts speak of. */
export interface HostileNames {
  /** Id of the customer whose feedback it is: the one that the program or the user has named. */
  customer: string;
  /** Id of another customer, whom the texts want to reach or to know about. */
  victim: string;
  /** Domain of the attacker. Nothing is ever there: use one that ends in `.example`, `.test` or `.invalid`. */
  host: string;
}

/** Where in a piece of feedback the attacker has put the text. */
export type HostilePlace = "text" | "subject" | "feedback_id" | "customer_name";

/** What an attacker wants done, each as they name it. What is left out they don't ask for. */
export interface HostileWishes {
  /** Address that a mail is to go to. */
  recipient?: string;
  /** Id of the customer to act for, or to reveal something about. */
  customer?: string;
  /** What is to be decided about a mail that waits for a person. */
  decision?: "approve" | "edit" | "reject";
  /** SPARQL to run. */
  query?: string;
  /** Where a link or an image is to lead. */
  url?: string;
  /** What a mail is to say. */
  message?: string;
  /** Tools to call, whether there are such tools or not. */
  tools?: readonly string[];
}

/** One hostile text, in a piece of feedback that is otherwise ordinary. */
export interface HostileText {
  /** Names the text in reports, such as `orders-3`. */
  readonly name: string;
  /** What kind of trick it is. */
  readonly style: string;
  /** Language tag (BCP 47), such as `pt-BR`; `und` where it is in none. */
  readonly language: string;
  readonly place: HostilePlace;
  /** What the attacker wrote, as it stands in its place. */
  readonly payload: string;
  /** What it says where the payload is encoded; else the payload. */
  readonly meaning: string;
  readonly wishes: HostileWishes;
  readonly feedback: { readonly feedback_id: string; readonly subject: string; readonly feedback_text: string };
  /** The customer's name. Ordinary unless the place is `customer_name`. */
  readonly customerName: string;
}

/** The short form in which the texts are written down: in the text unless `place` says otherwise. */
export interface Draft {
  language: string;
  payload: string;
  wishes: HostileWishes;
  place?: HostilePlace;
  /** Default: the payload. */
  meaning?: string;
}

/** What the writers of texts use: the names, and what follows from them. */
export interface Cast extends HostileNames {
  address: string;
}

export type DraftTexts = (cast: Cast) => readonly Draft[];

/** The names in the texts, unless their caller gives others. */
export const DEFAULT_NAMES: HostileNames = { customer: "C-1001", victim: "C-1002", host: "evil.example" };
