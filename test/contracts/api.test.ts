import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestOptions, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfig } from "../../node/config.ts";
import { Tokens } from "../../node/customers/tokens.ts";
import { planOf } from "../../node/deployments/plan.ts";
import { type Doors, openDoors } from "../../node/doors.ts";
import type { Plan } from "../../node/engines/engine.ts";
import { openParts, type Parts } from "../../node/parts.ts";
import { type OperationName, operations } from "../../protocol/api/operations.ts";
import { triesManners, type Visited } from "./manners.ts";
import { type Asked, ask, cookieOf, password } from "./panel.ts";

/** All parts of a node and its doors; nobody works on its jobs. */
const folder = mkdtempSync(join(tmpdir(), "api-"));
const socket = join(folder, "node.sock");
let parts: Parts;
let doors: Doors;
let server: Server;
let visited: Visited;

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const names = Object.keys(operations) as OperationName[];

beforeAll(async () => {
	const config = readConfig(undefined, {
		FEDIVERSITY_PROVIDER_NAME: "North",
		FEDIVERSITY_WEB_URL: "https://north.example",
		FEDIVERSITY_STATE_FOLDER: folder,
	});
	parts = openParts(config, { environment: {}, now: Date.now });
	doors = await openDoors(parts, async () => []);
	server = createServer((incoming, outgoing) => void doors.panel(incoming, outgoing));
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	visited = await inhabited();
});

afterAll(async () => {
	server.closeAllConnections();
	server.close();
	await doors.close();
	parts.jobs.close();
	parts.db.close();
	rmSync(folder, { recursive: true });
});

/** Asks over a real connection, with whatever headers a test makes up. */
function over(where: () => RequestOptions): Asked {
	return {
		request: (input, init = {}) =>
			new Promise((resolve, reject) => {
				const { pathname, search, host } = new URL(input);
				const { method = "GET", body } = init;
				const headers = { host, ...(init.headers as Record<string, string>) };
				const asked = request(
					{ ...where(), agent: false, path: pathname + search, method, headers },
					async (answer) => {
						const pieces: Uint8Array[] = [];
						for await (const piece of answer) pieces.push(piece);
						const { statusCode: status = 0, headers: told } = answer;
						const lines = Object.entries(told).flatMap(([name, value]) =>
							[value ?? []].flat().map((one) => [name, one] as [string, string]),
						);
						resolve(
							new Response([204, 304].includes(status) ? null : Buffer.concat(pieces), { status, headers: lines }),
						);
					},
				);
				// A node that refuses a large body does not wait for the rest of it.
				asked.on("error", reject).end(body as string | undefined);
			}),
	};
}

const app = over(() => ({ port: (server.address() as AddressInfo).port }));
const staff = over(() => ({ socketPath: socket }));

async function signedUp(email: string): Promise<{ id: string; cookie: string }> {
	const { code } = parts.vouchers.make({ services: [], days: 30, uses: 1, diskMiB: 1024, note: "" });
	const body = { voucher: code, email, password, name: email.split("@")[0] };
	const answer = await ask(app, "POST /sign-up", { body });
	return { id: ((await answer.json()) as { id: string }).id, cookie: cookieOf(answer) };
}

/** Two customers, and something of each kind that belongs to the first. */
async function inhabited(): Promise<Visited> {
	const [owner, stranger] = [await signedUp("anna@choir.example"), await signedUp("ben@choir.example")];
	const { cookie } = owner;
	const idOf = async (answer: Promise<Response>) => ((await (await answer).json()) as { id: string }).id;
	const { items } = await (await ask(app, "GET /me/sessions", { cookie })).json();
	const body = { name: "nightly", scopes: ["read"] };
	const tokens = await idOf(ask(app, "POST /me/tokens", { cookie, body }));
	const sshKeys = await idOf(ask(app, "POST /me/ssh-keys", { cookie, body: { name: "laptop", key } }));
	const deployment = randomUUID();
	parts.domains.add(owner.id, "choir.example.org");
	const services = parts.catalogue.filter(({ name }) => name === "snac");
	const wish = {
		deployment,
		domain: "choir.example.org",
		services: ["snac"],
		owner: { username: "admin", email: "anna@choir.example" },
	};
	const plan = planOf(wish, services, (host) => `https://${host}`);
	parts.deployments.add(plan, owner.id);
	parts.entitlements.claim(owner.id, deployment, ["snac"]);
	const job = parts.jobs.start("deploy", { plan }, { deployment, customer: owner.id });
	const moveIn = "m".repeat(22);
	const migration = "n".repeat(22);
	parts.migrations.sessions.open({ id: moveIn, side: "target", customer: owner.id, about: {} });
	parts.migrations.sessions.open({ id: migration, side: "source", customer: owner.id, about: {}, deployment, job });
	const about = {
		customer: owner.id,
		params: { domain: "choir.example.org" },
		link: `/d/choir.example.org/jobs/${job}`,
	};
	parts.outbox.tell({ ...about, key: `deploy-done:${job}`, kind: "deploy-done" });
	const ids: Record<string, string> = {
		sessions: items[0].id,
		tokens,
		"ssh-keys": sshKeys,
		deployments: deployment,
		jobs: job,
		"move-ins": moveIn,
		migrations: migration,
	};
	const made = new Tokens(parts.db, Date.now);
	const sara = await signedUp("sara@north.example");
	parts.customers.setStaff(sara.id, true);
	parts.db.run("UPDATE session SET confirmed_at = 0 WHERE customer = $id", { id: sara.id });
	const able = { name: "x", scopes: ["read", "deploy", "account"] as const, expiresAt: Date.now() + 600_000 };
	return {
		...{ app, owner, stranger },
		staff: { cookie: sara.cookie, token: made.make(sara.id, able).secret },
		token: (...scopes) => made.make(owner.id, { name: "x", scopes, expiresAt: Date.now() + 60_000 }).secret,
		places: (name) => ({
			id: ids[name.replace("/me/", "/").split(/[ /]/)[2] ?? ""] ?? owner.id,
			domain: "choir.example.org",
			service: "snac",
		}),
		private: [owner.id, "anna", "laptop", "nightly", "choir.example.org", ...Object.values(ids)],
	};
}

test.each(names)("%s has its code", async (name) => {
	const [method, path = ""] = name.split(" ");
	const door = ["staff", "operator"].includes(operations[name].for) ? staff : app;
	const answer = await door.request(`https://north.example/api/v1${path.replaceAll(/[{}]/g, "")}`, {
		method: "OPTIONS",
	});
	expect(answer.headers.get("allow")?.split(", ")).toContain(method);
});

triesManners(
	names,
	{
		"POST /sign-up": { voucher: "x", email: "c@choir.example", password, name: "Cleo" },
		"POST /sign-in": { email: "anna@choir.example", password },
		"PATCH /me": { name: "Anna" },
		"POST /me/password": { current: password, next: "another long password" },
		"POST /me/confirm": { password },
		"POST /me/tokens": { name: "x", scopes: ["read"] },
		"POST /me/ssh-keys": { name: "x", key },
		"POST /me/entitlements": { voucher: "x" },
		"PUT /me/notice-settings": { mail: true, browser: true, webhook: null },
		"POST /domains": { domain: "band.example.org" },
		"POST /deployments": { domain: "band.example.org", services: ["snac"] },
		"POST /deployments/{id}/restart": {},
		"POST /deployments/{id}/remove": { domain: "choir.example.org" },
		"POST /deployments/{id}/erase": { domain: "choir.example.org" },
		"PUT /deployments/{id}/services/{service}/credentials": { password: "a password for snac" },
		"POST /move-ins": { domain: "band.example.org" },
		"POST /deployments/{id}/move-plan": { token: "x" },
		"POST /deployments/{id}/move": { token: "x", domain: "choir.example.org", password },
		"POST /notices/read": { upTo: "x" },
		"PATCH /staff/customers/{id}": { staff: true },
		"POST /staff/vouchers": {},
		"POST /staff/peers": { origin: "https://south.example", standing: "blocked" },
		"PATCH /staff/peers/{id}": { standing: "blocked" },
		"POST /staff/machines": { id: "one", address: "192.0.2.7", hostKey: key, memoryMiB: 4096, diskGiB: 100 },
		"PATCH /staff/machines/{id}": { state: "draining" },
	},
	async () => visited,
);

test("staff sets a deployment up again by its id or its domain, on the operators' socket", async () => {
	const { id, plan, customer } = parts.deployments.at("choir.example.org") ?? {};
	const repair = (which = "") =>
		staff.request(`https://north.example/api/v1/staff/deployments/${which}/repair`, { method: "POST" });
	expect((await repair("nobody.example")).status).toBe(404);
	expect(await (await repair("choir.example.org")).json()).toMatchObject({ code: "deployment-state" });
	parts.deployments.add({ ...(plan as Plan), deployment: "d2", domain: "band.example.net" }, customer ?? "");
	parts.deployments.move("d2", "serving");
	const answer = await repair("band.example.net");
	expect(answer.status).toBe(202);
	const { deployment, job } = (await answer.json()) as Record<string, string>;
	expect(answer.headers.get("location")).toBe(`/api/v1/staff/jobs/${job}`);
	expect(deployment).toBe("d2");
	expect(parts.jobs.head(job ?? "", customer ?? "").kind).toBe("repair");
	expect(await (await repair("d2")).json()).toMatchObject({ code: "deployment-busy" });
	expect(parts.history.page("d2", { limit: 9 }).items.map(({ kind }) => kind)).toEqual(["repair-by-staff"]);
	expect(id).not.toBe("d2");
});
