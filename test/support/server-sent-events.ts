/** One event of a stream. */
export interface ServerSentEvent<Data = Record<string, unknown>> {
  id: string;
  event: string;
  data: Data;
}

/** The events of a stream as a browser would read them. */
export async function* eventsOf<Data = Record<string, unknown>>({
  body,
}: Response): AsyncGenerator<ServerSentEvent<Data>, void> {
  if (!body) return;
  let text = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const fields = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
      if (fields["data"] !== undefined) {
        yield { id: fields["id"] ?? "", event: fields["event"] ?? "", data: JSON.parse(fields["data"]) as Data };
      }
    }
  }
}
