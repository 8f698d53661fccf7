/** Services for real: each at a provider of its own, and all behind one gateway, as in the demo. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Backend, Plan } from "../../node/engines/engine.ts";
import type { LocalEngine } from "../../node/engines/local/local-engine.ts";
import { recipes } from "../../node/engines/local/recipes.ts";
import { LocalWorkshop } from "../../node/engines/local/workshop.ts";
import type { Destination } from "../../node/gateway/destination.ts";
import { Gateway } from "../../node/gateway/gateway.ts";
import { serviceNamed } from "../../node/services/catalogue.ts";
import {
	cache,
	engineIn,
	eventually,
	listening,
	MemoryVault,
	running,
	scratch,
	someNode,
} from "../contracts/tiny/world.ts";
import { reach } from "../stories/reach.ts";

/** Whether a service can be tried on this machine. */
export async function canRun(service: string): Promise<boolean> {
	const recipe = recipes.find((one) => one.service === service);
	return (await recipe?.able(new LocalWorkshop(cache, { PATH: process.env["PATH"] ?? "" })))?.can ?? false;
}

/** One front door, and the sites behind it. */
export class Town {
	readonly #at = scratch();
	readonly #sites: Site[] = [];
	readonly #gateway = new Gateway({
		find: (host) => this.#find(host),
		panel: (_request, response) => response.end(),
		about: { provider: "Town", panel: "http://localhost/" },
		trustProxy: false,
	});
	port = 0;

	async open(): Promise<this> {
		this.port = await this.#gateway.listen({ host: "127.0.0.1", port: 0 });
		return this;
	}

	/** A place for a service under `<name>.localhost`, with nothing there yet. */
	site(service: string, name = "choir"): Site {
		return this.#added({ service, name, port: this.port, folder: join(this.#at.folder, name), deployment: "dep-1" });
	}

	#added(where: Where): Site {
		const site = new Site(where, () =>
			this.#added({ ...where, folder: `${where.folder}-elsewhere`, deployment: "dep-2" }),
		);
		this.#sites.push(site);
		return site;
	}

	/** Ends everything; throws if something of it still runs. */
	async close(): Promise<void> {
		for (const site of this.#sites) await site.engine.close();
		await this.#gateway.close(0);
		const left = await Promise.all(this.#sites.map(({ nodeId }) => running(nodeId)));
		this.#at.remove();
		if (left.flat().length > 0) throw new Error(`still running: ${JSON.stringify(left.flat())}`);
	}

	#find(host: string): Destination {
		const backends = this.#sites.map(({ engine }) => engine.backend(host));
		const up = backends.find((backend) => backend?.kind === "up");
		return destination(up ?? backends.find((backend) => backend !== undefined));
	}
}

function destination(backend: Backend | undefined): Destination {
	if (!backend) return { kind: "unknown" };
	if (backend.kind === "up") return { kind: "service", port: backend.port };
	return { kind: "wait", why: backend.kind, retryAfter: backend.retryAfter };
}

interface Where {
	readonly service: string;
	readonly name: string;
	readonly port: number;
	readonly folder: string;
	readonly deployment: string;
}

/** One service of one customer at one provider. */
export class Site {
	readonly nodeId = someNode();
	readonly vault = new MemoryVault();
	readonly service: string;
	readonly domain: string;
	readonly host: string;
	readonly origin: string;
	/** All that was said while work went on. */
	readonly lines: string[] = [];
	readonly deployment: string;
	/** The same at another provider, with nothing there yet. */
	readonly elsewhere: () => Site;
	readonly #folder: string;
	engine: LocalEngine;

	constructor({ service, name, port, folder, deployment }: Where, elsewhere: () => Site) {
		this.service = service;
		this.deployment = deployment;
		this.elsewhere = elsewhere;
		this.domain = `${name}.localhost`;
		this.host = `${serviceNamed(service)?.hosts[0]}.${this.domain}`;
		this.origin = `http://${this.host}:${port}`;
		this.#folder = folder;
		this.engine = this.#newEngine();
	}

	get owner() {
		return { username: "alice", email: `alice@${this.domain}.example` };
	}

	plan(mode: Plan["mode"] = "serving"): Plan {
		const services = [{ name: this.service, hosts: [this.host], origin: this.origin, owner: this.owner }];
		return { deployment: this.deployment, domain: this.domain, services, mode };
	}

	async apply(mode: Plan["mode"] = "serving"): Promise<void> {
		await this.engine.apply(this.plan(mode), this.report());
	}

	report() {
		const report = listening();
		return { ...report, log: (line: string) => void this.lines.push(line) };
	}

	get password(): string {
		return this.vault.secrets.get(`${this.deployment}/${this.service}/password`) ?? "";
	}

	/** As a customer does who sets another one in the panel. */
	async setPassword(password: string): Promise<void> {
		await this.vault.put(`${this.deployment}/${this.service}/password`, password);
		await this.engine.setPassword(this.plan(), this.service, this.report());
	}

	/** Another life of the node, which knows nothing but what is written down. */
	async reopen(): Promise<void> {
		await this.engine.close();
		this.engine = this.#newEngine();
		await this.engine.recover([this.plan()]);
	}

	/** Through the gateway, as everybody does. */
	fetch(path: string, init: RequestInit = {}): Promise<Response> {
		return reach(new URL(path, this.origin).href, { redirect: "manual", ...init });
	}

	async text(path: string): Promise<string> {
		const response = await this.fetch(path);
		const body = await response.text();
		if (!response.ok) throw new Error(`${path} answered ${response.status}: ${body.slice(0, 200)}`);
		return body;
	}

	/** Where the service itself lies; what is in it is the service's own. */
	get home(): string {
		return join(this.#folder, "services", this.deployment, this.service);
	}

	get isThere(): boolean {
		return existsSync(this.home);
	}

	get ports(): Record<string, number> {
		return JSON.parse(readFileSync(join(this.home, "unit.json"), "utf8")).ports;
	}

	/** The processes that lead the others. */
	async leaders(): Promise<number[]> {
		const all = await running(this.nodeId);
		return all.filter(({ pid, group }) => pid === group).map(({ pid }) => pid);
	}

	/** Waits until every probe holds and the gateway lets people in. */
	async well(): Promise<void> {
		await eventually(async () => {
			const [seen] = await this.engine.look(this.plan());
			if (seen?.health !== "well") throw new Error(JSON.stringify(seen?.probes));
			if (this.engine.backend(this.host)?.kind !== "up") throw new Error("the gateway waits");
		}, 300);
	}

	#newEngine(): LocalEngine {
		return engineIn(this.#folder, { nodeId: this.nodeId, vault: this.vault, cache });
	}
}
