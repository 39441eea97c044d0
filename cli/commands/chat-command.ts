import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

export interface ChatOptions extends GlobalOptions {
  thread?: string;
  model?: string;
  by?: string;
}

/** `chat`: the agent, for one message or a conversation. */
export function addChatCommand(program: Command): void {
  const command = program
    .command("chat")
    .summary("talk to the agent")
    .description(
      "Talk to the agent. With a message: one answer, as it comes. Without: a conversation, until /exit or Ctrl-D. " +
        "Mails that wait for a person (APPROVAL=on) are shown to you at a terminal, and you decide; the agent can't. " +
        "Needs OPENAI_API_KEY or OPENAI_BASE_URL for a language model; without either the offline demo model answers.",
    )
    .argument("[message]", "what the agent should do")
    .option("--thread <id>", "go on with an earlier conversation, or name a new one")
    .option("--model <name>", "the language model (default: OPENAI_MODEL)")
    .option("--by <name>", "who decides on mails that wait (default: you are asked)")
    .action(async (message: string | undefined, _options, command: Command) => {
      const { chat } = await import("./chat.ts");
      await chat(message, command.optsWithGlobals<ChatOptions>());
    });
  addExamples(
    command,
    [`chat "Customer C-1007 wrote: 'Great product, thank you!'"`, "one request"],
    ["chat --thread monday", "a conversation that can be gone on with"],
    ["chat --url http://127.0.0.1:8008", "with the agent of a service"],
  );
}
