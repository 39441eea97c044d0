/**
 * What has happened to a run, for people and systems. It doesn't say who the customer is or what
 * they wrote.
 */
export interface Notification {
  /** The same for every delivery of this notification. */
  id: string;
  type: NotificationType;
  /** When it happened. */
  time: Date;
  workflow: string;
  workflow_id: string;
  /** What permanently identifies the run, such as the feedback's id. */
  key: string;
  /** URL of the page about the run or its approval; absent if the service's address is unknown. */
  url?: string;
  /** Only for a run that has failed. */
  error?: string;
  error_code?: string;
}

export const NOTIFICATION_TYPES = ["approval.waiting", "run.failed", "run.completed"] as const;

export type NotificationType = (typeof NOTIFICATION_TYPES)[number];

/** The port for notifying someone. */
export interface NotificationChannel {
  /** snake_case; names the step that delivers, so it must not change. */
  readonly name: string;
  /**
   * How many deliveries of one type are allowed within a clock hour; more are withheld. Default: no
   * limit.
   */
  readonly mostAnHour?: number;
  /**
   * Resolves when the other side has accepted the notification. A repeated delivery has the same
   * id.
   * @param isLast whether this is the last delivery before further ones are withheld for the rest
   *   of the hour
   * @throws IoError if a later delivery may succeed
   * @throws ValidationError or UnexpectedError if the notification is refused permanently
   */
  deliver(notification: Notification, isLast: boolean): Promise<void>;
}
