/** How far a conversation goes while the fake node still keeps to the rules. */
import { digest } from "#protocol/migration/canonical.ts";
import type { Content } from "#protocol/migration/messages.ts";
import { sealSecrets } from "#protocol/migration/seal.ts";
import type { Baggage } from "./baggage.ts";
import type { Conversation } from "./conversation.ts";
import { acceptOf, type MovingIn, type MovingOut } from "./town.ts";

/** Says what must be taken. */
async function sayWell(talk: Conversation, message: Parameters<Conversation["say"]>[0]): Promise<void> {
	const { status, text } = await talk.say(message);
	if (status !== 204) throw new Error(`${message.kind} was answered ${status}: ${text}`);
}

type Arriving = MovingIn & { readonly bag: Baggage };

/** As a source: a round has been copied and tried. */
export async function copied({ talk, bag }: Arriving): Promise<void> {
	await sayWell(talk, { kind: "manifest", content: bag.manifest(1, false) });
	await talk.until("announce", 2);
}

/** As a source: the target has voted for the final manifest. */
export async function voted(moving: Arriving, round = 1): Promise<Content<"vote">> {
	const { talk, bag } = moving;
	await sayWell(talk, { kind: "manifest", content: bag.manifest(round, true) });
	return talk.until("vote");
}

/** What a source hands over with. */
export async function moveOf({ talk }: MovingIn, manifest: string, secrets: Record<string, string> = {}) {
	const sealed = await sealSecrets(talk.last("accept")?.sealTo ?? "", { "snac/password": "moved", ...secrets });
	return { kind: "move" as const, content: { manifest, epoch: 2, secrets: sealed } };
}

/** As a source: all the way, until the target serves. */
export async function arrived(moving: Arriving): Promise<void> {
	const { manifest } = await voted(moving);
	await sayWell(moving.talk, await moveOf(moving, manifest));
	await moving.talk.until("active");
}

/** As a target: has accepted, and heard of the first round. */
export async function agreed(moving: MovingOut): Promise<Content<"manifest">> {
	await sayWell(moving.talk, { kind: "accept", content: acceptOf(moving) });
	return moving.talk.until("manifest");
}

/** That a round is here, and that it works. */
export function announceOf(manifest: Content<"manifest">): Content<"announce"> {
	const rehearsal = { ok: true, checks: [], seconds: 1 };
	return {
		round: manifest.round,
		manifest: digest(manifest),
		bytes: 10,
		seconds: 1,
		skipped: 0,
		rehearsal,
		freezeSeconds: 1,
	};
}

/** As a target: services rest at the source, and the final manifest has come. */
export async function frozen(moving: MovingOut): Promise<Content<"manifest">> {
	const manifest = await agreed(moving);
	await sayWell(moving.talk, { kind: "announce", content: announceOf(manifest) });
	return moving.talk.until("manifest", 2);
}

export const voteFor = (manifest: Content<"manifest">) => ({
	kind: "vote" as const,
	content: { manifest: digest(manifest), entries: 1, bytes: 1 },
});

/** As a target: the source has handed over. */
export async function committed(moving: MovingOut): Promise<Content<"move">> {
	await sayWell(moving.talk, voteFor(await frozen(moving)));
	return moving.talk.until("move");
}

export const activeFor = ({ manifest, epoch }: Content<"move">) => ({
	kind: "active" as const,
	content: { manifest, epoch, at: Date.now(), checks: [] },
});
