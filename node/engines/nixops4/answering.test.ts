import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { Answer } from "#protocol/nixops4/messages.ts";
import { MemoryZone } from "../../domains/memory-zone.ts";
import { MemoryVault } from "../../secrets/memory-vault.ts";
import { Database } from "../../store/database.ts";
import { Answering } from "./answering.ts";
import type { Context, MachinePool, RunEvent } from "./resources/resource.ts";
import { resourcesWith } from "./resources.ts";
import { States } from "./states.ts";

const at = { address: "10.0.0.21", publicAddress: "192.0.2.7" };
const m1 = { ...at, name: "m1", port: 22, user: "root", hostKey: "ssh-ed25519 AAAA", system: "x" };

class Pool implements MachinePool {
	readonly deeds: string[] = [];
	async reserve(deployment: string) {
		this.deeds.push(`reserve ${deployment}`);
		return m1;
	}
	async release(deployment: string) {
		this.deeds.push(`release ${deployment}`);
	}
	async deliver(machine: string, { service, name }: { service: string; name: string }, value: string) {
		this.deeds.push(`deliver ${machine} ${service}/${name} ${value}`);
	}
	async withdraw(machine: string, { service, name }: { service: string; name: string }) {
		this.deeds.push(`withdraw ${machine} ${service}/${name}`);
	}
}

let pool: Pool;
let zone: MemoryZone;
let events: RunEvent[];
let answering: Answering;
let context: Context;
beforeEach(() => {
	pool = new Pool();
	zone = new MemoryZone("choir.example");
	events = [];
	const parts = {
		vault: new MemoryVault(),
		machines: pool,
		zones: { zoneOf: () => zone, guardOf: () => ({ name: "_fediversity.choir.example", mine: "ours" }) },
		storage: () => Promise.reject(new Error("no storage here")),
		makeSecret: () => "a secret value",
		makeKey: () => "0".repeat(64),
	};
	answering = new Answering(new States(new Database(":memory:"), () => 1), resourcesWith(parts));
	context = {
		deployment: "d1",
		domain: "choir.example",
		signal: new AbortController().signal,
		heard: (event) => events.push(event),
	};
});

const said = (line: string, of = context) => answering.answer(line, of);
const create = (type: string, inputProperties: object, isStateful = true) =>
	said(JSON.stringify({ createResourceRequest: { type, inputProperties, isStateful } }));
const update = (type: string, past: object, inputProperties: object, outputProperties: object = {}) =>
	said(
		JSON.stringify({
			updateResourceRequest: { resource: { type, inputProperties: past, outputProperties }, inputProperties },
		}),
	);
const usual = { ensure: "present", generation: 0, after: [] };
const secret = { service: "mastodon", name: "password", machine: "m1", ...usual };
const machine = { memoryMiB: 1, diskMiB: 1, system: "x", ...usual };
const record = { name: "social.choir.example", type: "A", values: ["192.0.2.7"], ttl: 300, ...usual };

describe("what does not follow the protocol is an error that says what is wrong", () => {
	test.each([
		["no JSON", "{", "This is not JSON"],
		["an empty line", "", "This is not JSON"],
		["a message nobody knows", '{"deleteResourceRequest":{}}', "The request cannot be used"],
		[
			"two messages in one",
			'{"stateResourceReadRequest":{"resource":{"type":"state","inputProperties":{}}},"x":1}',
			"cannot be used",
		],
		[
			"a type nobody knows",
			'{"createResourceRequest":{"type":"database","inputProperties":{},"isStateful":true}}',
			"There is no resource type database",
		],
		[
			"a type every object has",
			'{"createResourceRequest":{"type":"constructor","inputProperties":{},"isStateful":true}}',
			"There is no resource type constructor",
		],
	])("%s", async (_, line, words) => {
		expect(await said(line)).toEqual({ errorResponse: { message: expect.stringContaining(words) } });
	});

	test.each([
		["secret", { ...secret, more: 1 }, 'Unrecognized key: "more"'],
		["secret", { ...secret, name: "../x" }, "name: must be small letters, digits and hyphens"],
		["machine", { ...machine, memoryMiB: "1" }, "memoryMiB"],
		["dns_record", { ...record, type: "MX" }, "type"],
		["probe", { service: "x", url: "file:///etc/passwd", below: 400, seconds: 1, after: [] }, "url"],
		["progress", { step: "x", service: null, event: "over", after: [] }, "event"],
		["state", { deployment: "d1", more: 1 }, "more"],
	])("an input of a %s that is not as it must be", async (type, inputs, words) => {
		expect(await create(type, inputs)).toEqual({ errorResponse: { message: expect.stringContaining(words) } });
		expect(pool.deeds).toEqual([]);
	});

	test("any line at all gets one answer in one line", async () => {
		const requests = fc.constantFrom(
			"createResourceRequest",
			"updateResourceRequest",
			"stateResourceEvent",
			"stateResourceReadRequest",
		);
		const types = fc.constantFrom("state", "secret", "machine", "progress", "nothing");
		const content = fc.record({ type: types, inputProperties: fc.object(), isStateful: fc.boolean() });
		const lines = fc.oneof(
			fc.string(),
			fc.json(),
			fc.dictionary(requests, fc.oneof(content, fc.jsonValue())).map((value) => JSON.stringify(value)),
		);
		await fc.assert(
			fc.asyncProperty(lines, async (line) => {
				const answer = await said(line);
				expect(Answer.parse(answer)).toEqual(answer);
				expect(JSON.stringify(answer)).not.toContain("\n");
			}),
			{ numRuns: 300 },
		);
	});
});

describe("a run works for its own deployment only", () => {
	test.each([
		["create", { createResourceRequest: { type: "state", inputProperties: { deployment: "d2" }, isStateful: false } }],
		["read", { stateResourceReadRequest: { resource: { type: "state", inputProperties: { deployment: "d2" } } } }],
		[
			"change",
			{
				stateResourceEvent: {
					...{ event: "create", nixopsVersion: "0.1.0", patch: [] },
					resource: { type: "state", inputProperties: { deployment: "d2" } },
				},
			},
		],
	])("%s another one's state", async (_, request) => {
		expect(await said(JSON.stringify(request))).toEqual({
			errorResponse: { message: "This run may not work with the state of d2" },
		});
	});

	test("records of other domains are refused", async () => {
		for (const name of ["social.other.example", "notchoir.example", "example"])
			expect(await create("dns_record", { ...record, name })).toMatchObject({
				errorResponse: { message: `${name} is not under choir.example` },
			});
		expect(zone.records).toEqual([]);
	});
});

describe("resources", () => {
	test("that NixOps4 must keep in a state are refused without one", async () => {
		expect(await create("machine", machine, false)).toEqual({
			errorResponse: { message: "A machine must be kept in a state; give it one (state = members.state)" },
		});
		expect(await create("progress", { step: "x", service: null, event: "begun", after: [] }, false)).toEqual({
			createResourceResponse: { outputProperties: { step: "x" } },
		});
	});

	test("cannot get another name", async () => {
		expect(await update("secret", secret, { ...secret, name: "other" })).toEqual({
			errorResponse: {
				message: "mastodon/password cannot become mastodon/other; make a new secret and take the old one away",
			},
		});
		expect(pool.deeds).toEqual([]);
	});

	test("that an older node has recorded with other inputs are updated all the same", async () => {
		const { generation: _, ...older } = { ...secret, length: 32 };
		expect(await update("secret", older, secret)).toMatchObject({ updateResourceResponse: {} });
	});

	test("a secret is made once, delivered, and spoken of by a reference", async () => {
		const outputProperties = {
			reference: "fediversity:d1/mastodon/password",
			path: "/var/lib/fediversity/secrets/d1/mastodon/password",
		};
		expect(await create("secret", secret)).toEqual({ createResourceResponse: { outputProperties } });
		expect(await create("secret", secret)).toEqual({ createResourceResponse: { outputProperties } });
		expect(await update("secret", secret, { ...secret, ensure: "absent" })).toEqual({
			updateResourceResponse: { outputProperties },
		});
		expect(pool.deeds).toEqual([
			"deliver m1 mastodon/password a secret value",
			"deliver m1 mastodon/password a secret value",
			"withdraw m1 mastodon/password",
		]);
	});

	test("a machine is one for the deployment, and when it goes its past is still told", async () => {
		expect(await create("machine", machine)).toEqual({ createResourceResponse: { outputProperties: m1 } });
		expect(await update("machine", machine, { ...machine, ensure: "absent" }, m1)).toEqual({
			updateResourceResponse: { outputProperties: m1 },
		});
		expect(pool.deeds).toEqual(["reserve d1", "release d1"]);
	});

	test("a record is set while the domain is ours", async () => {
		expect(await create("dns_record", record)).toEqual({
			createResourceResponse: { outputProperties: { name: record.name } },
		});
		expect(zone.records).toEqual([{ name: record.name, type: "A", value: "192.0.2.7", ttl: 300 }]);
		zone.records = [{ type: "TXT", name: "_fediversity.choir.example", value: "theirs", ttl: 300 }];
		expect(await create("dns_record", record)).toMatchObject({
			errorResponse: { message: expect.stringContaining("already served") },
		});
		expect(zone.records).toHaveLength(1);
	});

	test("a probe gives up at its deadline, and at once when nobody waits any more", async () => {
		const probe = { service: "wiki", url: "http://127.0.0.1:1/", below: 400, after: [] };
		expect(await create("probe", { ...probe, seconds: 1 }, false)).toEqual({
			errorResponse: { message: "wiki did not answer within 1 seconds" },
		});
		const gone = { ...context, signal: AbortSignal.abort(new Error("nobody waits")) };
		const line = {
			createResourceRequest: { type: "probe", inputProperties: { ...probe, seconds: 3600 }, isStateful: false },
		};
		expect(await said(JSON.stringify(line), gone)).toMatchObject({ errorResponse: {} });
	});

	test("tell what happens as it happens, failures too", async () => {
		await create("machine", machine);
		await create("dns_record", { ...record, name: "a.other.example" });
		await create("progress", { step: "system", service: null, event: "done", after: [] }, false);
		expect(events).toEqual([
			{ kind: "resource", type: "machine", name: "machine", event: "begun" },
			{ kind: "resource", type: "machine", name: "machine", event: "done" },
			{ kind: "resource", type: "dns_record", name: "a.other.example A", event: "begun" },
			{ kind: "resource", type: "dns_record", name: "a.other.example A", event: "failed" },
			{ kind: "step", step: "system", service: null, event: "done" },
		]);
	});

	test("what the node cannot do is told in its words", async () => {
		const bucket = { service: "mastodon", name: "media", machine: "m1", public: true, ...usual };
		expect(await create("bucket", bucket)).toEqual({
			errorResponse: { message: "The node could not do this: no storage here" },
		});
	});
});
