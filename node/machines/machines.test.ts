import { beforeEach, describe, expect, test } from "vitest";
import { Database } from "../store/database.ts";
import { Fleet } from "./fleet.ts";
import { Identity } from "./identity.ts";
import { Machines } from "./machines.ts";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const system = "x86_64-linux";
const wish = (id: string, memoryMiB = 4096, diskGiB = 100) => ({
	...{ id, address: `${id}.example`, publicAddress: null, port: 22, user: "root", hostKey, system, memoryMiB, diskGiB },
});
const needs = { memoryMiB: 2048, diskMiB: 50 * 1024, system };

let machines: Machines;
beforeEach(() => {
	machines = new Machines(new Database(":memory:"), () => 7);
});

describe("machines", () => {
	test("are kept with a host key in its plain form", () => {
		const publicAddress = "m1.example";
		const typed = { address: "ONE.example", publicAddress: "M1.example", hostKey: `${hostKey} root@one\n` };
		machines.add({ ...wish("one"), ...typed });
		expect(machines.all()).toEqual([{ ...wish("one"), publicAddress, state: "open", deployment: null, createdAt: 7 }]);
	});

	test.each([
		["id", "One"],
		["id", "-one"],
		["id", "../one"],
		["address", "-oProxyCommand=touch"],
		["address", "one example"],
		["address", "one.example;reboot"],
		["address", ""],
		["address", "fe80::1%eth0"],
		["publicAddress", "one.example;reboot"],
		["publicAddress", ""],
		["user", "-l"],
		["user", "root;"],
		["hostKey", "ssh-ed25519 AAAA"],
		["hostKey", "* ssh-ed25519 AAAA"],
	])("are refused with a %s like “%s”", (field, value) => {
		const errors = [expect.objectContaining({ pointer: `/${field}` })];
		expect(() => machines.add({ ...wish("one"), [field]: value })).toThrow(
			expect.objectContaining({ code: "not-valid", errors }),
		);
		expect(machines.all()).toEqual([]);
	});

	test.each(["192.0.2.7", "2001:db8::7", "one", "a.b-c.example"])("may be at %s", (address) => {
		expect(machines.add({ ...wish("one"), address }).address).toBe(address);
	});

	test("have names, and addresses with ports, of their own", () => {
		machines.add(wish("one"));
		const taken = expect.objectContaining({ code: "machine-taken" });
		expect(() => machines.add({ ...wish("two"), address: "ONE.EXAMPLE" })).toThrow(taken);
		expect(() => machines.add({ ...wish("one"), address: "two.example" })).toThrow(taken);
		machines.add({ ...wish("two"), address: "one.example", port: 2222 });
		expect(machines.all().map(({ id }) => id)).toEqual(["one", "two"]);
	});

	test("are given to one deployment each, the smallest that is large enough, the same one when asked again", () => {
		for (const one of [wish("large", 65_536, 1000), wish("fits", 2048, 50), wish("slow", 1024, 500)]) machines.add(one);
		expect(machines.reserve("a", needs).id).toBe("fits");
		expect(machines.reserve("a", { ...needs, memoryMiB: 50_000 }).id).toBe("fits");
		expect(machines.reserve("b", needs).id).toBe("large");
		expect(() => machines.reserve("c", needs)).toThrow(expect.objectContaining({ code: "machines-full" }));
		expect(machines.of("c")).toBeUndefined();
		for (let n = 0; n < 2; n++) machines.release("a");
		expect(machines.reserve("c", needs).id).toBe("fits");
		expect(machines.all().map(({ id, deployment }) => [id, deployment])).toEqual([
			["fits", "c"],
			["large", "b"],
			["slow", null],
		]);
	});

	test("of another system, too small or draining are given to nobody", () => {
		machines.add({ ...wish("arm"), system: "aarch64-linux" });
		machines.add(wish("small", 4096, 49));
		machines.add(wish("leaving"));
		machines.reserve("a", needs);
		machines.change("leaving", { state: "draining" });
		expect(machines.reserve("a", needs).id).toBe("leaving");
		machines.release("a");
		expect(() => machines.reserve("a", needs)).toThrow(expect.objectContaining({ code: "machines-full" }));
		machines.change("leaving", { state: "open" });
		expect(machines.reserve("a", needs).id).toBe("leaving");
	});

	test("are forgotten once they carry nothing", () => {
		machines.add(wish("one"));
		machines.reserve("a", needs);
		expect(() => machines.remove("one")).toThrow(expect.objectContaining({ code: "machine-carries" }));
		machines.release("a");
		machines.remove("one");
		const unknown = expect.objectContaining({ code: "not-found" });
		expect(() => machines.remove("one")).toThrow(unknown);
		expect(() => machines.change("one", { state: "open" })).toThrow(unknown);
	});
});

test("NixOps4 goes where the node does, and everybody else where they can", async () => {
	const fleet = new Fleet(machines, new Identity("/nonexistent"));
	machines.add({ ...wish("one"), publicAddress: "192.0.2.7" });
	const at = async (deployment: string) => {
		const { address, publicAddress } = await fleet.reserve(deployment, needs);
		return [address, publicAddress];
	};
	expect(await at("d1")).toEqual(["one.example", "192.0.2.7"]);
	machines.add(wish("two"));
	expect(await at("d2")).toEqual(["two.example", "two.example"]);
	const agent = fleet.agent("one");
	expect(machines.change("one", { publicAddress: "M1.example" })).toMatchObject({ state: "open", deployment: "d1" });
	expect(await at("d1")).toEqual(["one.example", "m1.example"]);
	// Nobody's line to it is cut.
	expect(fleet.agent("one")).toBe(agent);
	expect(machines.change("one", { state: "draining" })).toMatchObject({ publicAddress: "m1.example" });
	const refused = expect.objectContaining({ errors: [expect.objectContaining({ pointer: "/publicAddress" })] });
	expect(() => machines.change("one", { publicAddress: "-o" })).toThrow(refused);
	machines.change("one", { publicAddress: null });
	expect(await at("d1")).toEqual(["one.example", "one.example"]);
});
