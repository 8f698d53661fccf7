/** One honest node, real from its database to its DNS, in a town of liars. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Content } from "#protocol/migration/messages.ts";
import { newSealPair, type SealPair } from "#protocol/migration/seal.ts";
import { newToken, parseToken, printToken, proofFor } from "#protocol/migration/token.ts";
import { readConfig } from "../../node/config.ts";
import { Entitlements } from "../../node/customers/entitlements.ts";
import { Vouchers } from "../../node/customers/vouchers.ts";
import { type NameServer, openNameServer } from "../../node/demo/name-server.ts";
import { Rfc2136Zone } from "../../node/domains/rfc2136-zone.ts";
import { type Node, openNode } from "../../node/node.ts";
import { Database } from "../../node/store/database.ts";
import { freePort } from "../bench/servers/peer.ts";
import { says, tiny } from "../contracts/tiny/tiny.ts";
import { reach } from "../stories/reach.ts";
import { eventually, Person } from "../stories/world.ts";
import { Baggage } from "./baggage.ts";
import { Conversation } from "./conversation.ts";
import { FakeNode } from "./fake-node.ts";

const secret = randomBytes(32).toString("base64");
const password = "a long password of the tests";

/** The tests' tiny web service in the place of snac: it starts at once, and its state is a few files. */
const service = tiny("snac", "good", {
	volumes: [{ name: "data", kind: "directory", path: "." }],
	probes: () => [says("page", "/", /^tiny \d+ at /)],
});

/** A session in which the honest node is the target. */
export interface MovingIn {
	readonly talk: Conversation;
	readonly domain: string;
	readonly offer: Content<"offer">;
	/** As the honest node's customer got it. */
	readonly token: string;
}

/** A session in which the honest node is the source. */
export interface MovingOut {
	readonly talk: Conversation;
	readonly domain: string;
	readonly deployment: string;
	readonly job: string;
	readonly keys: SealPair;
}

export class Town {
	readonly folder = mkdtempSync(join(tmpdir(), "hostile-"));
	readonly origin: string;
	readonly person: Person;
	readonly #names: NameServer;
	readonly zone: Rfc2136Zone;
	readonly #nodes: FakeNode[] = [];
	#node: Node | undefined;
	#db: Database | undefined;
	#settings: Record<string, string> = {};
	readonly #clock: { ahead: number };

	static async open(settings: Record<string, string> = {}): Promise<Town> {
		const folder = mkdtempSync(join(tmpdir(), "hostile-zone-"));
		const key = { name: "town", secret };
		const file = join(folder, "zone.json");
		const clock = { ahead: 0 };
		const now = () => Date.now() + clock.ahead;
		const names = await openNameServer({ zone: "localhost", file, port: 0, keys: [key], records: [], now });
		const town = new Town(await freePort(), names, clock, () => rmSync(folder, { recursive: true }));
		await town.#open(settings);
		return town;
	}

	readonly #forget: () => void;

	private constructor(port: number, names: NameServer, clock: { ahead: number }, forget: () => void) {
		this.origin = `http://honest.localhost:${port}`;
		this.#names = names;
		this.#clock = clock;
		this.#forget = forget;
		const server = `127.0.0.1:${names.port}`;
		this.zone = new Rfc2136Zone({ name: "localhost", server, key: { name: "town", secret }, now: () => this.now() });
		this.person = new Person(this.origin);
	}

	async #open(settings: Record<string, string>): Promise<void> {
		this.#settings = settings;
		await this.#start(settings);
		this.#db = new Database(join(this.folder, "state/node.sqlite"));
		const voucher = new Vouchers(this.#db, "Honest", Date.now).make({ ...plenty, note: "" }).code;
		await this.person.api("POST /sign-up", { body: { voucher, email: "ada@honest.example", password, name: "Ada" } });
	}

	/** By the honest node's clock and its name server's, which signs its answers by it too. */
	now(): number {
		return Date.now() + this.#clock.ahead;
	}

	get ahead(): number {
		return this.#clock.ahead;
	}

	/** Lets both be so many ms ahead. */
	set ahead(ms: number) {
		this.#clock.ahead = ms;
	}

	/** Stops the honest node and starts it again; `meanwhile` nobody is at its state. */
	async restart(meanwhile: () => void = () => {}): Promise<void> {
		await this.#node?.close();
		this.#db?.close();
		meanwhile();
		await this.#start(this.#settings);
		this.#db = new Database(join(this.folder, "state/node.sqlite"));
		await this.person.api("POST /sign-in", { body: { email: "ada@honest.example", password } });
	}

	async #start(settings: Record<string, string>): Promise<void> {
		const state = join(this.folder, "state");
		mkdirSync(state, { recursive: true });
		writeFileSync(join(state, "tsig.key"), secret, { mode: 0o600 });
		const config = readConfig(undefined, {
			FEDIVERSITY_PROVIDER_NAME: "Honest",
			FEDIVERSITY_WEB_URL: this.origin,
			FEDIVERSITY_WEB_LISTEN: `127.0.0.1:${new URL(this.origin).port}`,
			FEDIVERSITY_STATE_FOLDER: state,
			FEDIVERSITY_SERVICES_ORIGIN: "http://{host}:8080",
			FEDIVERSITY_ZONE_NAME: "localhost",
			FEDIVERSITY_ZONE_SERVER: this.zone.server,
			FEDIVERSITY_ZONE_KEY_NAME: "town",
			// Lets other nodes be on this machine.
			FEDIVERSITY_DEMO_MAILBOX: `${this.origin}/mailbox`,
			...settings,
		});
		const now = () => this.now();
		this.#node = await openNode(config, { environment: process.env, now, recipes: [service] });
	}

	async close(): Promise<void> {
		this.#db?.close();
		await this.#node?.close();
		await Promise.all(this.#nodes.map((node) => node.close()));
		await this.#names.close();
		this.#forget();
		rmSync(this.folder, { recursive: true });
	}

	/** Another node. */
	async stranger(name = "fake"): Promise<FakeNode> {
		const node = await FakeNode.open(name);
		this.#nodes.push(node);
		return node;
	}

	/** Something else that the customer may have at the honest node. */
	entitle(diskMiB = plenty.diskMiB): void {
		if (!this.#db) throw new Error("The town is not open");
		const vouchers = new Vouchers(this.#db, "Honest", Date.now);
		const customer = this.#db.get<{ id: string }>("SELECT id FROM customer")?.id ?? "";
		new Entitlements(this.#db, vouchers, Date.now).redeem(
			customer,
			vouchers.make({ ...plenty, diskMiB, note: "" }).code,
		);
	}

	/** What the honest node's vault holds, by name. */
	secretNames(): string[] {
		return this.#db?.all<{ name: string }>("SELECT name FROM secret").map(({ name }) => name) ?? [];
	}

	/** A token of the honest node's customer, for a domain that a fake node serves, and what that node would offer with it. */
	async movingIn(
		source: FakeNode,
		{ domain = newDomain(), diskMiB = plenty.diskMiB, epoch = 1 } = {},
	): Promise<MovingIn> {
		this.entitle(diskMiB);
		await this.point(domain, source.actor, epoch);
		const { token } = await this.person.api("POST /move-ins", { body: { domain } });
		const talk = new Conversation(source, "source", parseToken(token, { insecure: true }).sid, this.origin);
		return { talk, domain, token, offer: offerOf(source, token, domain, epoch) };
	}

	/** The same, with the offer made and accepted. */
	async movedIn(
		source: FakeNode,
		wish: { domain?: string; diskMiB?: number } = {},
	): Promise<MovingIn & { bag: Baggage }> {
		const moving = await this.movingIn(source, wish);
		const bag = new Baggage({ count: "41", "posts/": "", "posts/one": "We sing on Tuesdays" }).serve(moving.talk);
		const answer = await moving.talk.say({ kind: "offer", content: moving.offer });
		if (answer.status !== 204) throw new Error(`The offer was refused: ${answer.text}`);
		await moving.talk.until("accept");
		return { ...moving, bag };
	}

	/** Says in the DNS which node serves a domain. */
	async point(domain: string, actor: string, epoch = 1): Promise<void> {
		const value = `e=${epoch}; a=${actor}; c=claim`;
		await this.zone.set([{ type: "TXT", name: `_fediversity.${domain}`, value, ttl: 60 }]);
	}

	/** A service of the customer's at the honest node. */
	async deployed(domain = newDomain()): Promise<{ domain: string; deployment: string }> {
		this.entitle();
		const { id } = await this.person.deploy(domain, ["snac"]);
		return { domain, deployment: id };
	}

	/** The customer moves it to a fake node, which has said nothing yet but what it is asked beforehand. */
	async movingOut(
		target: FakeNode,
		{ domain, deployment }: { domain: string; deployment: string },
	): Promise<MovingOut> {
		const token = newToken(target.origin, target.keys.key);
		const talk = new Conversation(target, "target", token.sid, this.origin);
		const keys = await newSealPair();
		talk.on("POST", "/enquiry", () => ({ body: terms }));
		const body = { token: printToken(token), domain, password };
		const { job } = await this.person.api("POST /deployments/{id}/move", { path: { id: deployment }, body });
		await talk.until("offer");
		return { talk, domain, deployment, job, keys };
	}

	/** The state of the deployment under a domain, the one that counts. */
	async stateOf(domain: string): Promise<string | undefined> {
		const { items } = await this.person.api("GET /deployments");
		return items.find((one) => one.domain === domain)?.state;
	}

	/** How the service under a domain is answered at the honest node's gateway. */
	async visit(domain: string): Promise<{ status: number; text: string }> {
		const port = new URL(this.origin).port;
		const response = await reach(`http://social.${domain}:${port}/`, {});
		return { status: response.status, text: await response.text() };
	}

	async serves(domain: string): Promise<boolean> {
		const { status, text } = await this.visit(domain);
		return status === 200 && text.startsWith("tiny ");
	}

	/** How a move-in stands, as its customer sees it. */
	async moveIn(sid: string) {
		return this.person.api("GET /move-ins/{id}", { path: { id: sid } });
	}

	async job(id: string) {
		return this.person.api("GET /jobs/{id}", { path: { id } });
	}

	/** Waits until a job has ended or is stuck. */
	async ended(id: string): Promise<{ state: string; problems: string[] }> {
		return eventually(`${id} ends`, async () => {
			const { state, steps } = await this.job(id);
			const problems = steps.flatMap(({ problem }) => (problem ? [problem.code] : []));
			return ["done", "undone", "stuck"].includes(state) && { state, problems };
		});
	}
}

const plenty = { services: [], days: 365, uses: 1, diskMiB: 1024 };

const terms = {
	...{ ok: true, problems: [], customer: "Eve", provider: "Fake", place: null, terms: null, versions: [] },
	...{ limits: { bytes: 10 ** 9, entries: 10 ** 6 }, asks: false, managesZone: false, rate: null },
};

export function newDomain(): string {
	return `${Array.from(randomBytes(12), (byte) => String.fromCharCode(97 + (byte % 26))).join("")}.localhost`;
}

/** What an honest source would offer. */
export function offerOf(source: FakeNode, pasted: string, domain: string, epoch = 1): Content<"offer"> {
	const { sid, secret } = parseToken(pasted, { insecure: true });
	const volumes = [{ name: "data", kind: "directory" as const, bytes: 1000 }];
	return {
		...{
			domain,
			epoch,
			managesZone: false,
			keepDays: 30,
			services: [{ name: "snac", version: null, hosts: [`social.${domain}`], volumes }],
		},
		...{
			owner: { username: "ada", email: "ada@honest.example" },
			customer: "Ada",
			provider: "Fake",
			managesZone: true,
		},
		proof: proofFor(secret, { sid, actor: source.actor, domain }),
	};
}

/** What an honest target would accept an offer with. */
export function acceptOf(
	{ talk, domain, keys }: MovingOut,
	change: Partial<Content<"accept">> = {},
): Content<"accept"> {
	const { origin, actor } = talk.node;
	// Requests are handed on by the gateway, which asks the system for names.
	const front = `http://127.0.0.1:${new URL(origin).port}`;
	const { epoch } = talk.last("offer") ?? { epoch: 1 };
	const ownership = `e=${epoch + 1}; a=${actor}; c=there`;
	return {
		...{ until: Date.now() + 86_400_000, sealTo: keys.publicKey, front },
		records: [{ type: "TXT", name: `_fediversity.${domain}`, value: ownership, ttl: 300 }],
		...{ limits: { bytes: 10 ** 9, entries: 10 ** 6 }, customer: "Eve", provider: "Fake", ...change },
	};
}
