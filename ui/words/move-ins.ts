import { msg, str } from "@lit/localize";
import type { MoveIn } from "../views.ts";
import type { Tone } from "./states.ts";

/** What became of a migration token, in a word or two. */
export function moveInWord(state: MoveIn["state"]): readonly [string, Tone] {
	const words: Record<MoveIn["state"], readonly [string, Tone]> = {
		waiting: [msg("not used yet"), "still"],
		asked: [msg("waits for you"), "attention"],
		agreed: [msg("agreed"), "busy"],
		moving: [msg("under way"), "busy"],
		done: [msg("moved in"), "good"],
		refused: [msg("refused"), "still"],
		expired: [msg("too old"), "still"],
		revoked: [msg("revoked"), "still"],
	};
	return words[state];
}

/** What a screen reader says when it changes; null: nothing worth a word. */
export function moveInNews({ state, offer, from }: MoveIn): string | null {
	const [domain, provider] = [offer?.domain ?? "", from?.provider ?? ""];
	if (state === "asked") return msg(str`${provider} asks to move ${domain} here`);
	if (state === "moving") return msg(str`${domain} moves here from ${provider}`);
	if (state === "done") return msg(str`${domain} has moved here`);
	return null;
}

/** Whether somebody should see it before everything else. */
export function isLive({ state }: MoveIn): boolean {
	return state === "asked" || state === "agreed" || state === "moving";
}
