/** The people and hosts that hostile texts mention. */
export interface HostileNames {
  /** Id of the customer who gave the feedback: the one that the program or the user has named. */
  customer: string;
  /** Id of another customer, whom the texts try to reach or learn about. */
  victim: string;
  /**
   * Domain of the attacker. It must end in `.example`, `.test`, `.invalid` or `.localhost`, so that
   * it belongs to nobody.
   */
  host: string;
}

/** Where in a piece of feedback the attacker has put the text. */
export type HostilePlace = "text" | "subject" | "feedback_id" | "customer_name";

/** What an attacker asks for. Absent fields are not asked for. */
export interface HostileWishes {
  /** Address to send an email to. */
  recipient?: string;
  /** Id of the customer to act for, or to reveal something about. */
  customer?: string;
  /** The decision to make on a waiting email. */
  decision?: "approve" | "edit" | "reject";
  /** SPARQL to run. */
  query?: string;
  /** The target of a link or an image. */
  url?: string;
  /** What an email should say. */
  message?: string;
  /** Tools to call, whether they exist or not. */
  tools?: readonly string[];
}

/** One hostile text, in a piece of feedback that is otherwise ordinary. */
export interface HostileText {
  /** Names the text in reports, such as `orders-3`. */
  readonly name: string;
  /** What kind of trick it is. */
  readonly style: string;
  /** Language tag (BCP 47), such as `pt-BR`; `und` if the text is in no language. */
  readonly language: string;
  readonly place: HostilePlace;
  /** What the attacker wrote, unchanged. */
  readonly payload: string;
  /** The decoded payload if it is encoded; otherwise the payload. */
  readonly meaning: string;
  readonly wishes: HostileWishes;
  readonly feedback: { readonly feedback_id: string; readonly subject: string; readonly feedback_text: string };
  /** The customer's name. Ordinary unless the place is `customer_name`. */
  readonly customerName: string;
}

/**
 * The short form in which the texts are written: the payload is in the feedback's text unless
 * `place` says otherwise.
 */
export interface Draft {
  language: string;
  payload: string;
  wishes: HostileWishes;
  place?: HostilePlace;
  /** Default: the payload. */
  meaning?: string;
}

/** What the texts are written with: the names, and values derived from them. */
export interface Cast extends HostileNames {
  address: string;
}

export type DraftTexts = (cast: Cast) => readonly Draft[];

/** The names in the texts, unless the caller passes others. */
export const DEFAULT_NAMES: HostileNames = { customer: "C-1001", victim: "C-1002", host: "evil.example" };
