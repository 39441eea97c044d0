import type { EventEmitter } from "node:events";
import type { Argument, Command, Option } from "commander";
import { createProgram } from "../../cli/main.ts";
import { block, cell, code, page, table } from "./markdown.ts";

export function commandLinePage(): string {
  const program = createProgram();
  return page(
    "Command line",
    "Run it as `npx abi-workflows <command>`. `--help` shows the same as this page. The exit code is 0 if everything went well, 1 if " +
      "something failed, 2 if the command was called wrongly, and 130 if you stopped it with Ctrl-C before it was done. " +
      "`serve`, `dev`, `worker` and `mcp` run until you stop them, and then end with 0.",
    table(
      ["Command", "What it does"],
      program.commands.map((command) => [`[${code(command.name())}](#${command.name()})`, cell(command.summary())]),
    ),
    `## Options of every command\n\n${optionTable(program.options)}`,
    ...program.commands.map((command) => section(command, "##")),
  );
}

function section(command: Command, heading: string): string {
  const subcommands = command.commands.map((one) => section(one, `${heading}#`));
  const parts = [
    `${heading} ${fullName(command)}`,
    command.description(),
    block("text", `abi-workflows ${fullName(command)} ${command.usage()}`),
    argumentTable(command.registeredArguments),
    optionTable(command.options),
    examples(command),
    ...subcommands,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

const fullName = (command: Command): string =>
  command.parent?.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();

const argumentTable = (args: readonly Argument[]): string =>
  args.length === 0
    ? ""
    : table(
        ["Argument", "Meaning"],
        args.map((argument) => [
          code(argument.required ? argument.name() : `[${argument.name()}]`),
          cell(argument.description),
        ]),
      );

const optionTable = (options: readonly Option[]): string =>
  options.length === 0
    ? ""
    : table(
        ["Option", "Meaning"],
        options.map((option) => [code(option.flags), cell(optionText(option))]),
      );

function optionText({ description, argChoices, defaultValue, negate, mandatory }: Option): string {
  const notes = [
    ...(mandatory ? ["required"] : []),
    ...(argChoices ? [`one of ${argChoices.map(code).join(", ")}`] : []),
    ...(isShown(defaultValue) && !negate ? [`default ${code(String(defaultValue))}`] : []),
  ];
  return notes.length === 0 ? description : `${description} (${notes.join("; ")})`;
}

const isShown = (value: unknown): boolean =>
  value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);

/** The examples in the command's help, which are below its options. */
function examples(command: Command): string {
  let text = "";
  // A command is an event emitter, but its type doesn't say so.
  (command as unknown as EventEmitter).emit("afterHelp", {
    error: false,
    command,
    write: (part: string) => (text += part),
  });
  const [, lines = ""] = /Examples:\n(.*)/s.exec(text) ?? [];
  return lines === "" ? "" : block("sh", lines.replaceAll(/^ {2}(?:\$ )?/gm, ""));
}
