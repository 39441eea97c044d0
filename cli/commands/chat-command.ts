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
      "Talk to the agent. With a message, print one answer as it comes. Without one, start a conversation that " +
        "ends with /exit or Ctrl-D. In a terminal, emails that wait for a person (APPROVAL=on) are shown to you, and " +
        "you decide; the agent can't. For a language model, set OPENAI_API_KEY or OPENAI_BASE_URL; without either, " +
        "the offline demo model answers.",
    )
    .argument("[message]", "what the agent should do")
    .option("--thread <id>", "continue an earlier conversation, or name a new one")
    .option("--model <name>", "the language model (default: OPENAI_MODEL)")
    .option("--by <name>", "who decides on emails that wait (default: you are asked)")
    .action(async (message: string | undefined, _options, command: Command) => {
      const { chat } = await import("./chat.ts");
      await chat(message, command.optsWithGlobals<ChatOptions>());
    });
  addExamples(
    command,
    [`chat "Customer C-1007 wrote: 'Great product, thank you!'"`, "one request"],
    ["chat --thread monday", "a conversation that you can continue later"],
    ["chat --url http://127.0.0.1:8008", "talk to the agent of a service"],
  );
}
