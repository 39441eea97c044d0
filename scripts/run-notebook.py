"""Executes notebook.ipynb in Deno's kernel, and prints it with the outputs of its cells."""
import sys

import nbformat
from jupyter_client.manager import start_new_kernel

LONGEST_SILENCE_S = 600
MARK = "end of the cell"
# Deno's kernel may report that a cell is done before it has sent the cell's outputs, so "idle" does
# not mark the end. END does: its output comes last on both channels, written text and results.
END = f'console.log("{MARK}"); "{MARK}"'


def outputs_of(client, source, count):
    client.execute(source)
    client.execute(END)
    text, others, ended = "", [], False
    while not ended or MARK not in text:
        message = client.get_iopub_msg(timeout=LONGEST_SILENCE_S)
        kind, content = message["msg_type"], message["content"]
        if kind == "error" or (kind == "stream" and content["name"] == "stderr"):
            sys.exit(f"Cell {count}: {content}")
        elif kind == "stream":
            text += content["text"]
        elif kind == "execute_result" and MARK in content["data"].get("text/plain", ""):
            ended = True
        elif kind in ("execute_result", "display_data"):
            others.append(nbformat.v4.output_from_msg(message))
    written = text[: text.index(MARK)]
    for output in others:
        if "execution_count" in output:
            output["execution_count"] = count
    return [nbformat.v4.new_output("stream", name="stdout", text=written)] * bool(written) + others


notebook = nbformat.read("notebook.ipynb", 4)
manager, client = start_new_kernel(kernel_name="deno", startup_timeout=LONGEST_SILENCE_S)
try:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(cells, 1):
        cell.execution_count = count
        cell.outputs = outputs_of(client, cell.source, count)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
sys.stdout.write(nbformat.writes(notebook))
