/** Where the panel begins: the shell starts at once, its first answers are on their way already (index.html). */
import "./app.ts";

document.body.prepend(document.createElement("fediverse-panel"));
