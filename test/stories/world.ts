/** The small world of `npm start`, opened for real in a folder of its own, and people who use it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answer, type Client, client } from "#protocol/client.ts";
import { DemoState } from "../../node/demo/state.ts";
import { processTable } from "../../node/engines/local/process-table.ts";
import { Database } from "../../node/store/database.ts";
import { freePort } from "../bench/servers/peer.ts";
import { reach } from "./reach.ts";

const root = join(import.meta.dirname, "../..");

export type Provider = "north" | "south";

export class World {
	readonly folder = mkdtempSync(join(tmpdir(), "fediversity-world-"));
	readonly #used = new Set<string>();
	output = "";
	#process: ChildProcess | undefined;

	/** Starts the demo and resolves when it has said where everything is; a second time after `end` or `kill`. */
	async open(...flags: string[]): Promise<this> {
		const args = [
			"node/main.ts",
			"demo",
			"--state",
			this.folder,
			...(this.#port ? [] : ["--port", String(await freePort())]),
			...flags,
		];
		const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
		this.#process = child;
		this.output = "";
		const ready = Promise.withResolvers<void>();
		const hear = (chunk: Buffer) => {
			this.output += chunk;
			if (this.output.includes("Ctrl-C stops everything.")) ready.resolve();
		};
		child.stdout?.on("data", hear);
		child.stderr?.on("data", hear);
		child.once("exit", (code) => ready.reject(new Error(`The demo ended with ${code}:\n${this.output}`)));
		await ready.promise;
		return this;
	}

	/** As Ctrl-C does. */
	async end(): Promise<void> {
		if (!this.#process || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
		this.#process.kill("SIGINT");
		await once(this.#process, "exit");
	}

	/** `kill -9` for the supervisor, both nodes and, if so wished, every service: all at once, as when the power goes. */
	async kill({ services }: { services: boolean }): Promise<number[]> {
		const gone = once(this.#process as ChildProcess, "exit");
		const victims = (await this.processes()).filter(({ unit }) => services || unit.split("/").length === 2);
		this.#process?.kill("SIGKILL");
		for (const { pid } of victims) killed(pid);
		await gone;
		return victims.map(({ pid }) => pid);
	}

	/** `kill -9` for one node; the supervisor starts it again. */
	async killNode(provider: Provider): Promise<void> {
		const id = new DemoState(this.folder).id;
		const nodes = (await this.processes()).filter(({ unit }) => unit === `${id}/${provider}`);
		if (nodes.length === 0) throw new Error(`${provider}'s node does not run`);
		for (const { pid } of nodes) killed(pid);
	}

	async [Symbol.asyncDispose]() {
		await this.end();
		for (const { pid } of await this.processes()) killed(pid);
		rmSync(this.folder, { recursive: true, force: true });
	}

	/** Every process of this world's nodes and services, found by what they are marked with. */
	async processes(): Promise<{ pid: number; unit: string }[]> {
		const ids = [new DemoState(this.folder).id, ...["north", "south"].map((provider) => this.#nodeId(provider))];
		const all = await marked();
		return all.filter(({ unit }) => ids.includes(unit.split("/")[0] ?? ""));
	}

	get #port(): number | undefined {
		const port = /http:\/\/localhost:(\d+)\//.exec(this.output)?.[1];
		return port ? Number(port) : undefined;
	}

	get port(): number {
		if (!this.#port) throw new Error("The demo is not open");
		return this.#port;
	}

	panel(provider: Provider): string {
		return `http://${provider}.localhost:${this.port}`;
	}

	/** An unused voucher. */
	voucher(provider: Provider): string {
		const code = new RegExp(`${provider}-[0-9A-Z-]+`).exec(this.output)?.[0];
		if (!code || this.#used.has(code))
			throw new Error(`There is no unused voucher of ${provider}; open the world again`);
		this.#used.add(code);
		return code;
	}

	async customer(provider: Provider, name: string): Promise<Person> {
		const person = new Person(this.panel(provider));
		const email = `${name}@${provider}.example`;
		await person.api("POST /sign-up", {
			body: { voucher: this.voucher(provider), email, password: `${name} has a long password`, name },
		});
		return person;
	}

	#nodeId(provider: string): string {
		const file = join(this.folder, provider, "node.sqlite");
		if (!existsSync(file)) return "";
		const database = new Database(file);
		const row = database.get<{ id: string }>("SELECT id FROM node");
		database.close();
		return row?.id ?? "";
	}
}

/** Somebody at a browser: keeps the session cookie, and says where requests come from. */
export class Person {
	readonly origin: string;
	readonly api: Client;
	#cookie = "";

	constructor(origin: string) {
		this.origin = origin;
		this.api = client(this.send, `${origin}/api/v1`);
	}

	readonly send = (async (input: string, init: RequestInit = {}) => {
		const headers = { ...(init.headers as Record<string, string>), origin: this.origin, cookie: this.#cookie };
		const response = await reach(input, { ...init, headers });
		const set = response.headers.get("set-cookie");
		if (set) this.#cookie = set.split(";")[0] ?? "";
		return response;
	}) as typeof fetch;

	/** Waits until a job has ended, or is stuck, by following its events as the panel does. */
	async ended(job: string): Promise<Answer<"GET /jobs/{id}">> {
		for await (const { event, data } of this.events(job)) {
			if (event === "job" && ["done", "undone", "stuck"].includes((data as { state: string }).state)) break;
		}
		return this.api("GET /jobs/{id}", { path: { id: job } });
	}

	/** The server-sent events of a job; `after` is the last id seen. */
	async *events(job: string, after?: number): AsyncGenerator<{ id: number; event: string; data: unknown }> {
		const headers = after === undefined ? {} : { "last-event-id": String(after) };
		const response = await this.send(`${this.origin}/api/v1/jobs/${job}/events`, { headers });
		let text = "";
		for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
			text += chunk;
			for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
				const block = text.slice(0, end);
				text = text.slice(end + 2);
				const line = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
				if (line("data"))
					yield { id: Number(line("id")), event: line("event") ?? "", data: JSON.parse(line("data") ?? "") };
			}
		}
	}

	/** Deploys and waits for the end; answers the deployment. */
	async deploy(domain: string, services: string[], username = "admin"): Promise<Answer<"GET /deployments/{id}">> {
		const { deployment, job } = await this.api("POST /deployments", { body: { domain, services, username } });
		const { state, steps } = await this.ended(job);
		if (state !== "done")
			throw new Error(`Deploying ended ${state}: ${JSON.stringify(steps.filter(({ problem }) => problem))}`);
		return this.api("GET /deployments/{id}", { path: { id: deployment } });
	}

	credentials(deployment: string, service: string) {
		return this.api("POST /deployments/{id}/services/{service}/credentials", { path: { id: deployment, service } });
	}
}

/** Somebody with a Mastodon app: signs in to a snac and posts, follows and reads as any such app does. */
export class Poster {
	readonly #address: string;
	readonly #token: string;

	constructor(address: string, token: string) {
		this.#address = address;
		this.#token = token;
	}

	static async signIn({ address, username, password }: { address: string; username: string; password: string }) {
		const redirect = "urn:ietf:wg:oauth:2.0:oob";
		const app = await ask(`${address}/api/v1/apps`, {
			client_name: "Story",
			redirect_uris: redirect,
			scopes: "read write follow",
		});
		const { client_id, client_secret } = (await app.json()) as Record<string, string>;
		const form = { login: username, passwd: password, redir: redirect, cid: client_id ?? "", state: "" };
		const page = await ask(`${address}/oauth/x-snac-login`, form);
		const code = /code=([0-9a-zA-Z]+)/.exec(`${page.headers.get("location")} ${await page.text()}`)?.[1] ?? "";
		const token = await ask(`${address}/oauth/token`, {
			...{ grant_type: "authorization_code", code, redirect_uri: redirect },
			...{ client_id: client_id ?? "", client_secret: client_secret ?? "" },
		});
		const { access_token } = (await token.json()) as { access_token?: string };
		if (!access_token) throw new Error(`${address} gave no token to ${username}`);
		// snac gives a token for any code; only after a right password it is somebody's.
		const poster = new Poster(address, access_token);
		await poster.#call("/api/v1/accounts/verify_credentials");
		return poster;
	}

	async post(status: string): Promise<{ id: string; uri: string }> {
		return (await this.#call("/api/v1/statuses", { status })) as { id: string; uri: string };
	}

	/** Posts with a picture; answers its address. */
	async show(status: string, picture: Buffer): Promise<string> {
		const divider = "----a-picture";
		const head = `--${divider}\r\nContent-Disposition: form-data; name="file"; filename="score.png"\r\nContent-Type: image/png\r\n\r\n`;
		const response = await reach(`${this.#address}/api/v2/media`, {
			method: "POST",
			headers: {
				authorization: `Bearer ${this.#token}`,
				"content-type": `multipart/form-data; boundary=${divider}`,
			},
			body: Buffer.concat([Buffer.from(head), picture, Buffer.from(`\r\n--${divider}--\r\n`)]),
		});
		const { id, url } = (await response.json()) as { id: string; url: string };
		await this.#call("/api/v1/statuses", { status, "media_ids[]": id });
		return url;
	}

	async follow(handle: string): Promise<void> {
		const found = (await this.#call(`/api/v2/search?q=${encodeURIComponent(handle)}&type=accounts&resolve=true`)) as {
			accounts: { id: string }[];
		};
		const account = found.accounts[0];
		if (!account) throw new Error(`${handle} was not found from ${this.#address}`);
		await this.#call(`/api/v1/accounts/${account.id}/follow`, {});
	}

	async timeline(): Promise<{ content: string; account: { acct: string } }[]> {
		return (await this.#call("/api/v1/timelines/home")) as never;
	}

	async #call(path: string, form?: Record<string, string>): Promise<unknown> {
		const headers = { authorization: `Bearer ${this.#token}` };
		const response = await ask(this.#address + path, form, headers);
		if (!response.ok) throw new Error(`${this.#address}${path} answered ${response.status}: ${await response.text()}`);
		return response.json();
	}
}

/** Waits for what must come true, asking again and again; gives up after so many seconds with what it saw last. */
export async function eventually<Result>(
	what: string,
	look: () => Promise<Result | undefined | false>,
	seconds = 60,
): Promise<Result> {
	let seen: unknown;
	for (
		const end = Date.now() + seconds * 1000;
		Date.now() < end;
		await new Promise((resolve) => setTimeout(resolve, 200))
	) {
		try {
			const result = await look();
			if (result !== undefined && result !== false) return result;
			seen = result;
		} catch (error) {
			seen = error;
		}
	}
	throw new Error(`It did not come true that ${what}; last seen: ${seen}`);
}

function ask(address: string, form?: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
	return reach(address, {
		method: form ? "POST" : "GET",
		headers: { ...headers, ...(form && { "content-type": "application/x-www-form-urlencoded" }) },
		...(form && { body: new URLSearchParams(form).toString() }),
		redirect: "manual",
	});
}

/** All processes of this machine that belong to a node. */
async function marked(): Promise<{ pid: number; unit: string }[]> {
	return (await processTable()).flatMap(({ pid, unit }) => (unit ? [{ pid, unit }] : []));
}

function killed(pid: number) {
	try {
		process.kill(pid, "SIGKILL");
	} catch {
		// It is gone already.
	}
}
