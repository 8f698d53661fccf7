/** What staff of a provider sees: its machines, offers that wait, findings. */

import type { Answer } from "#protocol/client.ts";
import { Problem } from "#protocol/problem.ts";
import { type Answers, never, type World } from "./answers.ts";
import { ago, days, hours, minutes } from "./moments.ts";
import { anna } from "./people.ts";
import type { Scene } from "./scenes.ts";

type Machine = Answer<"GET /staff/machines">["items"][number];
type Finding = Answer<"GET /staff/findings">["items"][number];
type Offered = Answer<"GET /staff/moves">["items"][number];

const fingerprint = "SHA256:q3X7u1k0yD2cQ1m7vT0a5rJ9n4bWfE8sLhPzGxKdUoI";
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

export const machine = (id: string, more: Partial<Machine> = {}): Machine => ({
	...{
		id,
		address: "192.0.2.7",
		publicAddress: null,
		port: 22,
		user: "root",
		hostKey,
		fingerprint,
		system: "x86_64-linux",
	},
	...{ memoryMiB: 16_384, diskGiB: 400, state: "open", deployment: null, domain: null, createdAt: ago(12 * days) },
	...more,
});

const machines: Machine[] = [
	machine("birch", { deployment: "d1", domain: "choir.localhost" }),
	machine("elm", {
		...{ address: "machine-with-a-rather-long-name.rack-14.cooperative-hosting.example", state: "draining" },
		...{ deployment: "d2", domain: "a-deployment-with-a-name-as-long-as-it-can-be.valley-of-the-upper-north.example" },
	}),
	machine("oak", { address: "2001:db8::14", publicAddress: "oak.north.example", port: 2222, memoryMiB: 6144 }),
];

const findings: Finding[] = [
	{ check: "node-version", state: "good", detail: "Node 26.10.0", fix: null },
	{ check: "disk", state: "warning", detail: "11 GiB are free, of 400", fix: "Make room, or add a disk, within days" },
	{
		...{ check: "mail", state: "bad", detail: "The mail server smtp://127.0.0.1:25 does not answer: ECONNREFUSED" },
		fix: "Start it, or set mail.server",
	},
];

const offers: Offered[] = [
	{
		...{ id: "m1", domain: "choir.example", services: ["snac", "wiki"], bytes: 85_440_000, agreed: true },
		from: { origin: "https://south.example", provider: "South", customer: "Anna Lind" },
		...{ customer: "anna@choir.example", createdAt: ago(40 * minutes) },
	},
	{
		...{ id: "m2", domain: "school.example", services: ["mastodon"], bytes: 18_200_000_000, agreed: false },
		from: { origin: "https://west.example", provider: "West", customer: "Bo" },
		...{ customer: "bo@school.example", createdAt: ago(5 * hours) },
	},
];

const staff: Answers = {
	"GET /me": { ...anna, staff: true },
	"GET /staff/machines": { items: machines },
	"GET /staff/machines/{id}/findings": { items: findings },
	"GET /staff/machine-key": { publicKey: `${hostKey} fediversity` },
	"GET /staff/host-key": { hostKey, fingerprint },
	"GET /staff/moves": { items: offers },
	"GET /staff/findings": { items: findings },
	"POST /staff/machines": new Problem("confirm-needed"),
	"PATCH /staff/machines/{id}": new Problem("confirm-needed"),
	"POST /me/confirm": new Problem("wrong-credentials"),
};

export const providerWorlds = (world: (answers?: Answers) => World) => ({
	staff: world(staff),
	"staff-empty": world({ ...staff, "GET /staff/machines": { items: [] }, "GET /staff/moves": { items: [] } }),
	"staff-failing": world({
		...staff,
		"GET /staff/machines": new Problem("too-many", { seconds: 30 }),
		"GET /staff/machine-key": new Problem("too-many", { seconds: 30 }),
		"GET /staff/moves": never,
		"GET /staff/host-key": new Problem("machine-silent", { machine: "192.0.2.7", reason: "it took too long" }),
	}),
	"staff-german": world({ ...staff, "GET /me": { ...anna, language: "de", staff: true } }),
});

const scene = (name: string, path: string, shows: string, act?: Scene["act"]): Scene => ({
	...{ name: `provider-${name}`, world: "staff", path, shows },
	...(act && { act }),
});

const described: Scene["act"] = async (page) => {
	await page.getByText("Add a machine").click();
	for (const [label, value] of [
		["Name", "ash"],
		["Address", "10.0.0.21"],
		["Public address", "192.0.2.7"],
		["Memory for services, GiB", "16"],
		["Disk for services, GiB", "400"],
	] as const)
		await page.getByLabel(label, { exact: true }).fill(value);
	await page.getByRole("button", { name: "Ask for its host key" }).click();
};

export const providerScenes: Scene[] = [
	scene("machines", "/provider", "choir.localhost"),
	scene("machine-checked", "/provider", "What to do:", (page) =>
		page.getByRole("button", { name: "Check now birch" }).click(),
	),
	scene("machine-sure", "/provider", "This is not your password", async (page) => {
		await page.getByRole("button", { name: "Take nothing more birch" }).click();
		await page.getByLabel("Your password", { exact: true }).fill("not this one");
		await page.getByRole("button", { name: "Go on" }).click();
	}),
	scene("machine-remove", "/provider", "Type oak to confirm", (page) =>
		page.getByRole("button", { name: "Remove oak" }).click(),
	),
	scene("machine-new", "/provider", "shows this host key", described),
	scene("machine-wrong", "/provider", "Please fill this in", async (page) => {
		await page.getByText("Add a machine").click();
		await page.getByRole("button", { name: "Ask for its host key" }).click();
	}),
	{ ...scene("machine-silent", "/provider", "does not answer", described), world: "staff-failing" },
	{ ...scene("machines-none", "/provider", "None yet."), world: "staff-empty" },
	{ ...scene("machines-failing", "/provider", "Try again"), world: "staff-failing" },
	scene("moves", "/provider/moves", "school.example"),
	{ ...scene("moves-none", "/provider/moves", "None. Offers wait"), world: "staff-empty" },
	{ ...scene("moves-slow", "/provider/moves", "Loading"), world: "staff-failing" },
	scene("findings", "/provider/findings", "What to do:"),
	{ ...scene("not-staff", "/provider", "There is nothing at this address"), world: "customer" },
	{ ...scene("german", "/provider", "Nichts mehr aufnehmen"), world: "staff-german" },
	{ ...scene("german-moves", "/provider/moves", "Hereinlassen"), world: "staff-german" },
];
