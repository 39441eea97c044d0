import { isDeepStrictEqual } from "node:util";
import { ConflictError, ValidationError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { isTerminal, type Decision } from "../engine.ts";
import type { RunConfig, StoredDecision } from "./engine-database.ts";
import type { WorkflowRun } from "./observed-backend.ts";
import { configOf, toRun } from "./run-record.ts";

/** What may stand in a path of JSON in every database. */
const SUBJECT = /^[\w.:-]{1,200}$/;

/** @throws ValidationError (`invalid_subject`) */
export function assertSubject(subject: string): void {
  if (SUBJECT.test(subject)) return;
  throw new ValidationError("What is decided on must be named by 1 to 200 letters, digits, or any of _ . : -", {
    code: "invalid_subject",
  });
}

/** What is stored under exactly this subject: one such as `constructor` finds nothing that every object has. */
export const decisionOn = ({ decisions }: RunConfig, subject: string): StoredDecision | undefined =>
  decisions && Object.hasOwn(decisions, subject) ? decisions[subject] : undefined;

export const toDecision = ({ value, time }: StoredDecision): Decision => ({ value, time: new Date(time) });

/**
 * What to answer where a decision was not taken: the one that stands where it is the same, nothing where the run has changed
 * meanwhile and it is worth trying again.
 * @throws ConflictError, ValidationError (`unknown_run`)
 */
export function standingDecision(run: WorkflowRun | null, subject: string, value: Json): Decision | undefined {
  if (!run) throw new ValidationError("There is no such run.", { code: "unknown_run" });
  const config = configOf(run);
  const { waiting } = config;
  const standing = decisionOn(config, subject);
  if (standing) {
    if (isDeepStrictEqual(standing.value, JSON.parse(JSON.stringify(value)))) return toDecision(standing);
    throw new ConflictError("Somebody has decided on this already; the first decision stands.", {
      code: "already_decided",
    });
  }
  if (isTerminal(toRun(run, []).status)) {
    throw new ConflictError("The run has ended; there is nothing to decide any more.", { code: "run_ended" });
  }
  if (waiting && waiting.subject !== subject) {
    throw new ConflictError("This is not what the run waits for any more. Look at it again, then decide.", {
      code: "decision_outdated",
    });
  }
  return undefined;
}
