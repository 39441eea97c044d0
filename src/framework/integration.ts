/**
 * Base class for clients of external systems. A workflow gets its integrations in its configuration
 * and never creates one itself.
 */
export abstract class Integration<Configuration> {
  protected readonly configuration: Configuration;

  constructor(configuration: Configuration) {
    this.configuration = configuration;
  }

  /** Closes connections and files; by default there are none. Safe to call twice. */
  async close(): Promise<void> {}
}
