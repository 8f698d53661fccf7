/** The public address of a node with one customer. Arguments: port, database file, session token's file. */
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { configureLog } from "../../../node/web/log.ts";
import { openPanel, signedUp, voucher } from "../../contracts/panel.ts";

const [port, file = "", cookieFile = ""] = process.argv.slice(2);
configureLog({ level: "info", format: "json" }, () => {});
const panel = openPanel({ file, checkAnswers: false });
const { id, cookie } = await signedUp(panel, "anna@choir.example");
for (let at = 0; at < 19; at++) panel.entitlements.redeem(id, voucher(panel, { services: ["snac", "wiki"] }).code);
writeFileSync(cookieFile, cookie);
createServer(getRequestListener(panel.app.fetch)).listen(Number(port), "127.0.0.1");
