import { galene } from "./galene.ts";
import { garage } from "./garage.ts";
import { gotosocial } from "./gotosocial.ts";
import { mastodon } from "./mastodon.ts";
import { peertube } from "./peertube.ts";
import { pixelfed } from "./pixelfed.ts";
import { prosody } from "./prosody.ts";
import type { Service } from "./service.ts";
import { snac } from "./snac.ts";
import { wiki } from "./wiki.ts";

/** Everything that can be picked, in the order in which it is shown: social first, then what comes beside it. */
export const catalogue: readonly Service[] = [
	mastodon,
	gotosocial,
	snac,
	pixelfed,
	peertube,
	galene,
	wiki,
	prosody,
	garage,
];

/** The service with this name, if there is one. */
export function serviceNamed(name: string): Service | undefined {
	return catalogue.find((service) => service.name === name);
}
