/**
 * Base of everything that speaks to the outside world: holds its configuration and what must be closed.
 * A workflow is given integrations ready made and never opens one itself.
 */
export abstract class Integration<Configuration> {
  protected readonly configuration: Configuration;

  constructor(configuration: Configuration) {
    this.configuration = configuration;
  }

  /** Frees connections and files. Safe to call twice. */
  async close(): Promise<void> {}
}
