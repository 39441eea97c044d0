import { createHash } from "node:crypto";
import { z } from "zod";
import type { FollowingRun, RestingRun, Run, RunContext } from "../../engine/engine.ts";
import { isAtRest } from "../../engine/engine.ts";
import { IoError } from "../../errors.ts";
import { withoutAbsent, type Json } from "../../json.ts";
import {
  NOTIFICATION_TYPES,
  type Notification,
  type NotificationChannel,
  type NotificationType,
} from "../../integrations/notifications/notification-channel.ts";
import { NOTIFICATION_RETRY_BUDGET, RUN_CHECK_RETRY_BUDGET } from "../../retry-policies.ts";
import { inTrace, isTracing, withActiveTrace } from "../../telemetry/tracing.ts";
import { traceOfRun } from "../../telemetry/run-tracing.ts";
import type { WorkflowConfiguration } from "../../framework/configuration.ts";
import { durable } from "../../framework/operation.ts";
import { Workflow } from "../../framework/workflow.ts";

/** Whom to notify, and of what. */
export interface NotificationWorkflowConfiguration extends WorkflowConfiguration {
  channels: readonly NotificationChannel[];
  /** Default: those that need a person, `approval.waiting` and `run.failed`. */
  types?: readonly NotificationType[];
  /**
   * URL at which people reach the service, such as `https://abi.example.org`; without it,
   * notifications have no links.
   */
  publicUrl?: string;
}

const TYPE_OF: Record<RestingRun["status"], NotificationType> = {
  waiting_for_approval: "approval.waiting",
  failed: "run.failed",
  completed: "run.completed",
};

const HOUR_MS = 3_600_000;

const Input = z.strictObject({
  notification_id: z.string(),
  type: z.enum(NOTIFICATION_TYPES),
  time: z.iso.datetime(),
  workflow: z.string(),
  workflow_id: z.string(),
  key: z.string(),
  subject: z.string().optional(),
  error: z.string().optional(),
  error_code: z.string().optional(),
});

const NAME = "notification";

/**
 * Notifies people and systems that a run waits for a person, has failed or has completed. Each
 * notification is a durable run of its own, which is retried for a day. It first checks whether the
 * run it is about is still in that state.
 */
export class NotificationWorkflow extends Workflow<NotificationWorkflowConfiguration> {
  override readonly name = NAME;
  override readonly isAuxiliary = true;
  protected override readonly indexedParameters = ["type"];

  override readonly operations = [
    durable("send_notification", {
      description: "Notify people and systems of what has happened to a run.",
      audience: "operator",
      scope: "admin",
      input: Input,
      output: z.object({
        outdated: z
          .literal(true)
          .optional()
          .describe("The run is no longer in that state, or the decision is no longer needed."),
        withheld: z.array(z.string()).optional().describe("Channels that had reached their hourly limit."),
      }),
      key: "notification_id",
      run: (input, context) => this.#notify(input, context),
    }),
  ];

  /**
   * Registers the workflow. From then on, it starts a notification for each run that needs one, so
   * call this before the first run is executed.
   */
  override register(): this {
    const types = this.configuration.types ?? ["approval.waiting", "run.failed"];
    const isFirst = !this.#isFollowing;
    this.#isFollowing = true;
    super.register();
    if (isFirst) {
      this.configuration.engine.follow((resting) =>
        resting.workflow !== NAME && types.includes(TYPE_OF[resting.status]) ? followerOf(resting) : undefined,
      );
    }
    return this;
  }

  #isFollowing = false;

  async #notify({ notification_id: id, subject, time, ...facts }: z.output<typeof Input>, context: RunContext) {
    const { engine, channels, publicUrl } = this.configuration;
    const isCurrent = await context.step(
      "run_checked",
      async () => isStill(await engine.get(facts.workflow_id), { subject, type: facts.type }),
      { retryBudget: RUN_CHECK_RETRY_BUDGET },
    );
    if (!isCurrent) return { outdated: true as const };
    const page = facts.type === "approval.waiting" ? "approvals" : "runs";
    const url = publicUrl && { url: `${publicUrl.replace(/\/+$/, "")}/${page}/${facts.workflow_id}` };
    const notification: Notification = { id, time: new Date(time), ...withoutAbsent(facts), ...url };
    const deliveries = channels.map((channel) =>
      context.step(channel.name, () => this.#deliver(channel, notification, context), {
        retryBudget: NOTIFICATION_RETRY_BUDGET,
      }),
    );
    // If one delivery fails, the others must still be made.
    await Promise.allSettled(deliveries);
    const outcomes = await Promise.all(deliveries);
    const withheld = channels.filter((_, index) => outcomes[index] === "withheld").map(({ name }) => name);
    return withheld.length === 0 ? {} : { withheld };
  }

  async #deliver(
    channel: NotificationChannel,
    notification: Notification,
    { startTime }: RunContext,
  ): Promise<"delivered" | "withheld"> {
    const { mostAnHour: most } = channel;
    const before = most === undefined ? 0 : await this.#countBefore(notification.type, startTime, most);
    if (most !== undefined && before >= most) return "withheld";
    await channel.deliver(notification, before + 1 === most);
    return "delivered";
  }

  /** How many notifications of this type came earlier in the same clock hour, up to `most`. */
  async #countBefore(type: NotificationType, startTime: Date, most: number): Promise<number> {
    const startedSince = new Date(Math.floor(startTime.getTime() / HOUR_MS) * HOUR_MS);
    const filter = { workflow: NAME, input: { type }, startedSince, startedBefore: startTime, limit: most };
    return (await this.configuration.engine.list(filter)).length;
  }
}

function followerOf(resting: RestingRun): FollowingRun {
  const { id, workflow, key, status, subject, error, resumedAt } = resting;
  // There is one notification for each time that a run ends or waits.
  const occasion = JSON.stringify([status, subject, resumedAt]);
  // A hash, because not everyone who may list runs may see the rendering of a waiting email.
  const notification_id = `${id}-${createHash("sha256").update(occasion).digest("hex").slice(0, 16)}`;
  return {
    workflow: NAME,
    key: notification_id,
    // A repeated notification differs only in the time and in the text of the error.
    fingerprint: notification_id,
    input: inTraceOf(resting, {
      notification_id,
      type: TYPE_OF[status],
      time: new Date().toISOString(),
      workflow,
      workflow_id: id,
      key,
      ...withoutAbsent({ subject }),
      ...(error && { error: error.error, error_code: error.error_code }),
    }),
  };
}

/** The notification continues the trace of the run that it is about. */
const inTraceOf = ({ id, input }: RestingRun, notification: Record<string, Json>): Record<string, Json> =>
  isTracing() ? inTrace(traceOfRun(id, input()), () => withActiveTrace(notification)) : notification;

/** @throws IoError if the run has not ended yet and doesn't wait */
function isStill(
  run: Run | undefined,
  { type, subject }: { type: NotificationType; subject: string | undefined },
): boolean {
  if (run === undefined) return false;
  const { status } = run;
  if (!isAtRest(status))
    throw new IoError("The run has not ended yet, and does not wait for a person.", { code: "run_at_work" });
  return (
    TYPE_OF[status as RestingRun["status"]] === type && (subject === undefined || run.waitingFor?.subject === subject)
  );
}
