import { render } from "preact";
import { App } from "./app.ts";
import { html } from "./html.ts";
import { startRouter } from "./router.ts";
import { startTheme } from "./theme.ts";

startTheme();
startRouter();
render(html`<${App} />`, document.querySelector("#app")!);
