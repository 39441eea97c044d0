/** What has happened to a run, for people and systems that want to hear of it. Nothing in it says who the customer is or what they wrote. */
export interface Notification {
  /** The same for every delivery of this notification. */
  id: string;
  type: NotificationType;
  /** When it happened. */
  time: Date;
  workflow: string;
  workflow_id: string;
  /** What identifies the run for good, such as the feedback's id. */
  key: string;
  /** Where to look at it; absent where the service has no address that is known. */
  url?: string;
  /** Only of a run that has failed. */
  error?: string;
  error_code?: string;
}

export const NOTIFICATION_TYPES = ["approval.waiting", "run.failed", "run.completed"] as const;

export type NotificationType = (typeof NOTIFICATION_TYPES)[number];

/** Port: tells somebody. */
export interface NotificationChannel {
  /** snake_case; names the step that delivers, so it must not change. */
  readonly name: string;
  /** Deliveries of one type within a clock hour; more are withheld. Default: any number. */
  readonly mostAnHour?: number;
  /**
   * Resolves when the other side has taken it. What is delivered twice has the same id.
   * @param isLast whether more of this hour will be withheld
   * @throws IoError where it may go well later, ValidationError where it is refused for good
   */
  deliver(notification: Notification, isLast: boolean): Promise<void>;
}
