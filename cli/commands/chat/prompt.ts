import type * as Clack from "@clack/prompts";
import { host } from "../../terminal/host.ts";

type Prompts = typeof Clack;

/** Options of every prompt: where to ask, and a signal that ends it. */
export type Terminal = Pick<NonNullable<Parameters<Prompts["text"]>[0]>, "input" | "output" | "signal">;

/**
 * One prompt at the terminal; undefined if the user ends it with Ctrl-C or Ctrl-D. On Ctrl-D, the
 * library closes the input and its promise never settles, so we cancel it here.
 */
export async function prompted<Answer>(
  show: (prompts: Prompts, terminal: Terminal) => Promise<Answer>,
): Promise<Exclude<Answer, symbol> | undefined> {
  const prompts = await import("@clack/prompts");
  const { stdin: input, stdout: output } = host();
  const end = new AbortController();
  const onKey = (_text: string, key: { ctrl?: boolean; name?: string }): void => {
    if (key.ctrl === true && key.name === "d") end.abort();
  };
  input.on("keypress", onKey);
  try {
    const answer = await show(prompts, { input, output, signal: end.signal });
    return typeof answer === "symbol" ? undefined : (answer as Exclude<Answer, symbol>);
  } finally {
    input.off("keypress", onKey);
  }
}

/** Whether a person at a terminal sees errors and can be asked. */
export const isInteractive = (): boolean => {
  const { stdin, stdout } = host();
  return stdin.isTTY === true && stdout.isTTY === true;
};
