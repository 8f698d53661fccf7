/** A GoToSocial as its visitors reach it. */
export interface Door {
	fetch(path: string, init?: RequestInit): Promise<Response>;
}

const redirect = "http://app.example/back";

/** A Mastodon app whose owner signs in at a GoToSocial, by its own pages, as with any browser. */
export class App {
	readonly #door: Door;
	readonly #token: string;

	constructor(door: Door, token: string) {
		this.#door = door;
		this.#token = token;
	}

	/** Throws if the password is not the right one. */
	static async signIn(door: Door, username: string, password: string): Promise<App> {
		const browser = new Browser(door);
		const names = { client_name: "Test", redirect_uris: redirect, scopes: "read write" };
		const { client_id = "", client_secret = "" } = await browser.json("/api/v1/apps", names);
		const query = new URLSearchParams({
			client_id,
			redirect_uri: redirect,
			response_type: "code",
			scope: "read write",
		});
		await browser.get(`/oauth/authorize?${query}`);
		await browser.post("/auth/sign_in", { username, password });
		await browser.get("/oauth/authorize");
		const back = await browser.post("/oauth/authorize", {});
		const code = new URL(back.headers.get("location") ?? "", redirect).searchParams.get("code");
		if (!code) throw new Error(`not let in: ${back.status}`);
		const exchange = { client_id, client_secret, redirect_uri: redirect, grant_type: "authorization_code", code };
		const { access_token = "" } = await browser.json("/oauth/token", exchange);
		return new App(door, access_token);
	}

	call(method: string, path: string, form?: Record<string, string>): Promise<unknown> {
		return this.#send(path, { method, ...(form && { body: new URLSearchParams(form) }) });
	}

	/** Gives it a file, as a form does. */
	async upload(path: string, bytes: Uint8Array<ArrayBuffer>, type: string): Promise<unknown> {
		const form = new FormData();
		form.set("file", new Blob([bytes], { type }), "file");
		const whole = new Response(form);
		const headers = { "content-type": whole.headers.get("content-type") ?? "" };
		return this.#send(path, { method: "POST", body: Buffer.from(await whole.arrayBuffer()), headers });
	}

	async #send(path: string, init: RequestInit): Promise<unknown> {
		const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${this.#token}` };
		const response = await this.#door.fetch(path, { ...init, headers });
		const text = await response.text();
		if (!response.ok) throw new Error(`${init.method} ${path} answered ${response.status}: ${text.slice(0, 300)}`);
		return JSON.parse(text);
	}
}

/** Keeps cookies, follows nothing. */
class Browser {
	readonly #door: Door;
	readonly #cookies = new Map<string, string>();

	constructor(door: Door) {
		this.#door = door;
	}

	get(path: string): Promise<Response> {
		return this.#send(path, {});
	}

	post(path: string, form: Record<string, string>): Promise<Response> {
		return this.#send(path, { method: "POST", body: new URLSearchParams(form) });
	}

	async json(path: string, form: Record<string, string>): Promise<Record<string, string>> {
		return (await this.post(path, form)).json() as Promise<Record<string, string>>;
	}

	async #send(path: string, init: RequestInit): Promise<Response> {
		const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
		const response = await this.#door.fetch(path, { ...init, headers: { cookie } });
		for (const set of response.headers.getSetCookie()) {
			const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
			this.#cookies.set(name, value);
		}
		return response;
	}
}
