/** A deployment that two people of the same name have at two providers, with everything that must never get lost. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Begun, beginMove, passwordOf, statesOf } from "../stories/moving.ts";
import { reach } from "../stories/reach.ts";
import { eventually, type Person, Poster } from "../stories/world.ts";
import { type Provider, providers } from "./internet.ts";
import type { Pair } from "./pair.ts";

export type People = Readonly<Record<Provider, Person>> & { readonly name: string };

export const other = (provider: Provider): Provider => (provider === "north" ? "south" : "north");

/** Ada, or somebody else, at both providers. */
export async function twoAdas(pair: Pair, name = "ada"): Promise<People> {
	const [north, south] = await Promise.all(providers.map((provider) => pair.customer(provider, name)));
	return { north, south, name } as People;
}

/** Room for one more deployment at both. */
export async function moreRoom(pair: Pair, people: People): Promise<void> {
	await Promise.all(providers.map((provider) => pair.allow(provider, people[provider])));
}

export class Choir {
	readonly domain: string;
	readonly people: People;
	readonly pair: Pair;
	readonly poster: Poster;
	/** Where it is, as far as is known for certain. */
	at: Provider = "north";
	/** What snac has said yes to. */
	readonly acknowledged: string[] = [];
	#posts = 0;

	/** Deploys it, with a first post. */
	static async found(pair: Pair, people: People, name: string, at: Provider = "north"): Promise<Choir> {
		const { id } = await people[at].deploy(`${name}.localhost`, ["snac"], "ada");
		const credentials = await people[at].credentials(id, "snac");
		// snac forgets a code now and then when it has just been started.
		const poster = await eventually("ada signs in", () => Poster.signIn(credentials));
		const choir = new Choir(pair, people, `${name}.localhost`, poster);
		choir.at = at;
		await choir.post();
		return choir;
	}

	private constructor(pair: Pair, people: People, domain: string, poster: Poster) {
		[this.pair, this.people, this.domain, this.poster] = [pair, people, domain, poster];
	}

	get host(): string {
		return `social.${this.domain}`;
	}

	/** Posts once; throws when nobody said yes. */
	async post(): Promise<void> {
		const text = `Post ${++this.#posts} of ${this.domain}.`;
		await this.poster.post(text);
		this.acknowledged.push(text);
	}

	/** Moves it away from where it is; `told` hears of the migration's id before anything is said in it. */
	begin(told?: (id: string) => void): Promise<Begun> {
		return beginMove(
			this.people[this.at],
			this.people[other(this.at)],
			this.domain,
			passwordOf(this.people.name),
			told,
		);
	}

	/** Waits until both sides of a migration have ended; answers how the source and the target did. Gives up after `seconds`. */
	async ended({ leave, arrive }: Begun, seconds = 170): Promise<[source: string, target: string]> {
		const sides = [
			[this.at, leave],
			[other(this.at), arrive],
		] as const;
		for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(300)) {
			const states = await Promise.all(sides.map(([provider, job]) => this.job(provider, job)));
			if (states.includes("stuck") || states.every((state) => ["done", "undone"].includes(state)))
				return states as [string, string];
		}
		const views = sides.map(([provider, id]) => this.people[provider].api("GET /jobs/{id}", { path: { id } }));
		const under = (await Promise.all(views)).map(({ steps }) =>
			steps.filter(({ state }) => state !== "waiting").at(-1),
		);
		throw new Error(`${this.domain} still moves: ${JSON.stringify(under)}`);
	}

	/** Who has it as serving, moved and so on. */
	async states(): Promise<Record<Provider, string[]>> {
		const [north, south] = await Promise.all(providers.map((one) => statesOf(this.people[one], this.domain)));
		return { north: north ?? [], south: south ?? [] };
	}

	/** How a migration's job stands at a provider. */
	async job(provider: Provider, id: string): Promise<string> {
		return (await this.people[provider].api("GET /jobs/{id}", { path: { id } })).state;
	}

	get(path: string): Promise<Response> {
		return reach(`http://${this.host}:${this.pair.port}${path}`);
	}

	/** Where a provider that serves it keeps it. */
	async folder(at: Provider): Promise<string> {
		const { items } = await this.people[at].api("GET /deployments");
		const found = items.find((one) => one.domain === this.domain && one.state === "serving");
		if (!found) throw new Error(`${this.domain} does not serve at ${at}`);
		return join(this.pair.folderOf(at), "services", found.id);
	}

	/** Resolves with what was lost or is there twice, once it serves at a provider. */
	async losses(at: Provider): Promise<string[]> {
		await eventually(`${this.domain} answers`, async () => {
			const answer = await this.get("/ada");
			await answer.arrayBuffer();
			return answer.status === 200;
		});
		const folder = await this.folder(at);
		const files = globSync("**/user/ada/public/*.json", { cwd: folder, exclude: (name) => String(name) === "proc" });
		const posts = files.map((name) => readFileSync(join(folder, name), "utf8"));
		return this.acknowledged.flatMap((text) => {
			const times = posts.filter((post) => post.includes(`${text}<`)).length;
			return times === 1 ? [] : [`${text} is there ${times} times`];
		});
	}
}

/** Asks both nodes, again and again, whether they answer for a host themselves. */
export class Witness {
	/** Who did, in turn; the same one in a row is written once. */
	readonly served: Record<string, Provider[]> = {};
	readonly #pair: Pair;
	readonly #hosts: readonly string[];
	readonly #stop = new AbortController();
	readonly #over: Promise<void>;

	constructor(pair: Pair, choirs: readonly Choir[]) {
		this.#pair = pair;
		this.#hosts = choirs.map(({ host }) => host);
		for (const host of this.#hosts) this.served[host] = [];
		this.#over = this.#look();
	}

	async close(): Promise<Record<string, Provider[]>> {
		this.#stop.abort();
		await this.#over;
		return this.served;
	}

	async #look(): Promise<void> {
		while (!this.#stop.signal.aborted) {
			for (const host of this.#hosts)
				for (const provider of providers)
					if ((await this.#pair.servesItself(provider, host)) && this.served[host]?.at(-1) !== provider)
						this.served[host]?.push(provider);
			await pause(200);
		}
	}
}
