/** Whole conversations as receipts: such as hold, and such as somebody has meddled with, or signed well and out of turn. */
import type { Activity } from "../../protocol/migration/activity.ts";
import type { Side } from "../../protocol/migration/messages.ts";
import { type Receipt, writeReceipt } from "../../protocol/migration/receipt.ts";
import { conversation, type Line, noon, north, says, sid, south, wholeMove } from "./nodes.ts";

const party = ({ actor, keyid, key }: typeof north) => ({ actor, keyid, key });

export function recordOf(chains: Record<Side, readonly Activity[]>) {
	const documents = (side: Side) => chains[side].map(({ document }) => ({ ...document }));
	const activities = { source: documents("source"), target: documents("target") };
	return { sid, source: party(north), target: party(south), activities };
}

const head = wholeMove.slice(0, 7);
const good: readonly [string, readonly Line[]][] = [
	["moved and erased", wholeMove],
	["refused", [...wholeMove.slice(0, 1), ["target", says.reject]]],
	["called off while copying", [...wholeMove.slice(0, 4), ["source", says.withdraw]]],
	[
		"with a clock that was put right",
		wholeMove.map((line, index) => (index === 6 ? [line[0], line[1], { published: noon }] : line)),
	],
	["taken back after the move", [...head, ["target", says.reject]]],
	[
		"thawed and frozen again",
		[
			...wholeMove.slice(0, 5),
			["source", says.thaw(2)],
			["source", says.final(3)],
			["target", says.vote(3)],
			["source", says.move(3)],
			["target", says.active(3)],
		],
	],
];

const altered = (at: number, change: object): Line[] =>
	wholeMove.map((line, index) => (index === at ? [line[0], line[1], change] : line));

/** Signed as it must be, and yet not to be believed: the side, the number and the kind of what is found first. */
const bad: readonly [string, readonly Line[], string][] = [
	["moved without a vote", [...wholeMove.slice(0, 5), ["source", says.move(2)]], "source 4 turn"],
	[
		"voted for another manifest",
		[...wholeMove.slice(0, 5), ["target", says.vote(1)], ["source", says.move(2)]],
		"source 4 turn",
	],
	["moved another manifest", [...wholeMove.slice(0, 6), ["source", says.move(1)]], "source 4 turn"],
	["refused once it served", [...wholeMove.slice(0, 8), ["target", says.reject]], "target 5 turn"],
	["offered by nobody", [["source", says.round(1)]], "source 1 turn"],
	["follows something else", altered(4, { prev: "A".repeat(43) }), "source 3 chain"],
	["answers what was never said", altered(6, { heard: "A".repeat(43) }), "source 4 chain"],
	["has forgotten what it heard", altered(6, { heard: null }), "source 4 chain"],
	["says a number twice", altered(2, { seq: 1, prev: null }), "source 2 chain"],
];

export async function chainVectors() {
	const valid = [];
	for (const [name, lines] of good) {
		const receipt = await writeReceipt(recordOf(await conversation(lines)));
		valid.push({ name, receipt });
	}
	const whole = await writeReceipt(recordOf(await conversation(wholeMove)));
	const invalid = [];
	for (const [name, lines, finding] of bad) {
		const record = recordOf(await conversation(lines));
		invalid.push({ name, finding, receipt: { ...whole, ...record } });
	}
	return {
		about:
			"Receipts, with both chains. finding: what is among the findings of an invalid one: side, number of the activity, and kind (form, proof, chain, turn, summary).",
		valid,
		invalid: [...invalid, ...meddled(whole)],
	};
}

function meddled(receipt: Receipt) {
	const change = (name: string, finding: string, edit: (copy: Receipt) => void) => {
		const copy = structuredClone(receipt);
		edit(copy);
		return { name, finding, receipt: copy };
	};
	return [
		change("a letter changed", "target 1 proof", ({ activities }) => {
			const object = activities.target[0]?.["object"] as { content: string };
			object.content = object.content.replace("South", "North");
		}),
		change("one left out", "source 2 chain", ({ activities }) => {
			activities.source.splice(1, 1);
		}),
		change("an unknown member", "source 1 form", ({ activities }) => {
			Object.assign(activities.source[0] ?? {}, { cc: "https://evil.example/actor" });
		}),
		change("another summary", "summary", ({ summary }) => {
			summary.freezeSeconds = 0;
		}),
	];
}
