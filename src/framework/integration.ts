/**
 * Base class of all clients for external systems. Holds the configuration and what must be closed.
 * A workflow gets its integrations in its configuration and never creates one itself.
 */
export abstract class Integration<Configuration> {
  protected readonly configuration: Configuration;

  constructor(configuration: Configuration) {
    this.configuration = configuration;
  }

  /** Closes connections and files. Safe to call twice. */
  async close(): Promise<void> {}
}
