import { isDeepStrictEqual } from "node:util";
import { ConflictError, ValidationError } from "../errors.ts";
import { isObject, type Json } from "../json.ts";
import { isTerminal, type Decision } from "./engine.ts";
import type { DecisionOutcome } from "./run-store.ts";
import { toDecision } from "./run-view.ts";

const SUBJECT = /^[\w.:-]{1,200}$/;

/** @throws ValidationError (`invalid_subject`) */
export function assertSubject(subject: string): void {
  if (SUBJECT.test(subject)) return;
  throw new ValidationError("The subject of a decision must be 1 to 200 letters, digits, or any of _ . : -", {
    code: "invalid_subject",
  });
}

/**
 * The answer to someone's decision: the first decision, if it is theirs or has the same value;
 * undefined if theirs can still be made.
 * @throws ConflictError, ValidationError (`unknown_run`)
 */
export function answerTo(
  { taken, decision, run }: DecisionOutcome,
  subject: string,
  valueJson: string,
): Decision | undefined {
  if (!run) throw new ValidationError("There is no such run.", { code: "unknown_run" });
  if (decision) {
    if (taken || isDeepStrictEqual(JSON.parse(decision.valueJson), JSON.parse(valueJson))) return toDecision(decision);
    throw new ConflictError("Someone has already decided on this; the first decision stands.", {
      code: "already_decided",
      standing: standingOf(toDecision(decision)),
    });
  }
  if (isTerminal(run.status)) {
    throw new ConflictError("The run has ended, so there is nothing left to decide.", { code: "run_ended" });
  }
  if (run.waitingFor !== null && run.waitingFor !== subject) {
    throw new ConflictError("The run no longer waits for this. Look at it again, then decide.", {
      code: "decision_outdated",
    });
  }
  return undefined;
}

/** The first decision as someone who decided too late gets it: what was decided, and when. */
const standingOf = ({ value, time }: Decision): Json => ({
  ...(isObject(value) ? value : { decision: value }),
  decided_at: time.toISOString(),
});
