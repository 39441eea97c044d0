/** Base of everything that moves data from a source into the graph. Running it again with the same parameters changes nothing more. */
export abstract class Pipeline<Configuration, Parameters, Result> {
  protected readonly configuration: Configuration;

  constructor(configuration: Configuration) {
    this.configuration = configuration;
  }

  abstract run(parameters: Parameters, options?: { signal?: AbortSignal }): Promise<Result>;
}
