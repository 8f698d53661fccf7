import type { VolumeKind } from "../volumes/volume.ts";

/** One thing a customer can pick, described once; every engine reads the same description. */
export interface Service {
	readonly name: string;
	/** As its makers write it. */
	readonly title: string;
	/** What it is good for, in one sentence for the customer. */
	readonly promise: string;
	/** For whom, in a few words. */
	readonly goodFor: string;
	readonly website: string;
	/** Labels of its host names under the customer's domain, the main one first: `social` for social.example.org. */
	readonly hosts: readonly string[];
	/** Empty means stateless: such a service moves by being started elsewhere. */
	readonly volumes: readonly { readonly name: string; readonly kind: VolumeKind }[];
	/** Made at random once, then travels with the service. */
	readonly secrets: readonly string[];
	/** Other services it cannot do without, such as `garage`. */
	readonly needs: readonly string[];
	/** What it asks for at its start, and how it grows. */
	readonly size: { readonly memoryMiB: number; readonly diskMiB: number; readonly growth: string };
	/** The first account that the customer is handed: whether there is one, and whether it has a Fediverse handle. */
	readonly account: "none" | "login" | "handle";
	/** What its owner types beside the password; the user name unless said otherwise. */
	readonly signsInWith?: "email" | "address";
}

/** What the owner of a service types beside the password, such as `alice` or `alice@chat.choir.example`. */
export function signInName(
	service: Pick<Service, "signsInWith"> | undefined,
	{ owner, hosts }: { owner: { username: string; email: string }; hosts: readonly string[] },
): string {
	if (service?.signsInWith === "email") return owner.email;
	return service?.signsInWith === "address" ? `${owner.username}@${hosts[0]}` : owner.username;
}
