import type { Migrations } from "./migrations.ts";
import type { Session } from "./session.ts";

/** The receipt of a migration: what both nodes have said, as they signed it. Throws `receipt-not-valid` before anything was. */
export async function receiptOf({ sessions, actor, signer }: Migrations, { id, side, about }: Session) {
	const { writeReceipt } = await import("#protocol/migration/receipt.ts");
	const own = await signer();
	const ours = { actor, keyid: own.keyid, key: own.key };
	const theirs = { actor: about.peer?.actor ?? "", keyid: about.peer?.keyId ?? "", key: about.peer?.key ?? "" };
	const said = sessions.transcript.said(id);
	const by = (which: Session["side"]) =>
		said.filter((one) => one.side === which).map(({ document }) => document as Record<string, unknown>);
	const activities = { source: by("source"), target: by("target") };
	const [source, target] = side === "source" ? [ours, theirs] : [theirs, ours];
	return writeReceipt({ sid: id, source, target, activities });
}
