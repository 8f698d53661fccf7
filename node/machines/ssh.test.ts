/** Machines behind a real sshd: how they are reached, and what the agent there does. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
	chmodSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import about from "../../package.json" with { type: "json" };
import { hasSshd, SshMachine } from "../../test/machine.ts";
import { check } from "./check.ts";
import { Here } from "./here.ts";
import { scan } from "./scan.ts";
import { Ssh } from "./ssh.ts";

const otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const odd = ["", "a b", "it's", "$HOME `id` \\", "new\nline", "*", "-n", "ümläut", '"'];

describe("this machine", () => {
	test("runs programs with words as they are, input and exit codes", async () => {
		const here = new Here();
		const { output } = await here.run(["printf", "%s|", ...odd]);
		expect(output).toBe(`${odd.join("|")}|`);
		expect(await here.run(["sh", "-c", "cat; echo no >&2; exit 3"], { input: "in" })).toEqual({
			...{ code: 3, output: "in", errors: "no\n" },
		});
		await expect(here.run(["sleep", "60"], { deadline: 0.1 })).rejects.toMatchObject({ code: "took-too-long" });
		await expect(here.run(["yes"])).rejects.toThrow("said more");
	});
});

describe.skipIf(!hasSshd)("a machine behind ssh", () => {
	const machine = new SshMachine();
	beforeAll(() => machine.start());
	afterAll(() => machine.stop());

	test("runs programs as they would run here, over one connection", async () => {
		const host = machine.host();
		const { output } = await host.run(["printf", "%s|", ...odd]);
		expect(output).toBe(`${odd.join("|")}|`);
		const all = await Promise.all(
			[1, 2, 3].map((n) => host.run(["sh", "-c", `cat; echo $SSH_CLIENT; exit ${n}`], { input: "x" })),
		);
		expect(all.map(({ code }) => code)).toEqual([1, 2, 3]);
		expect(new Set(all.map((ran) => ran.output)).size).toBe(1);
		await host.close();
	}, 180_000);

	test("is not spoken to when it shows another host key, and says so", async () => {
		const host = machine.host({ ...machine.machine, hostKey: otherKey });
		await expect(host.run(["true"])).rejects.toMatchObject({ code: "machine-key-changed" });
	}, 180_000);

	test("says when it lets nobody in, and when nobody answers", async () => {
		const stranger = new Ssh(machine.machine, { identity: machine.at("host") });
		await expect(stranger.run(["true"])).rejects.toMatchObject({ code: "machine-refused" });
		const nobody = machine.host({ ...machine.machine, port: 1 });
		await expect(nobody.run(["true"])).rejects.toMatchObject({ code: "machine-silent" });
		const none = new Ssh(machine.machine, { identity: machine.identity, program: "no-such-ssh" });
		await expect(none.run(["true"])).rejects.toMatchObject({ code: "program-missing" });
	}, 180_000);

	test("is reached anew after its line was cut", async () => {
		const host = machine.host();
		expect((await host.run(["echo", "one"])).output).toBe("one\n");
		const running = await host.start(["sleep", "1000"]);
		machine.cut();
		await running.ended;
		expect((await host.run(["echo", "two"])).output).toBe("two\n");
	}, 180_000);

	test("keeps nothing of a node that was killed", async () => {
		const identity = machine.at("killed");
		copyFileSync(machine.identity, identity);
		const script = `import { Ssh } from ${JSON.stringify(join(import.meta.dirname, "ssh.ts"))};
			const host = new Ssh(${JSON.stringify(machine.machine)}, { identity: ${JSON.stringify(identity)} });
			const running = await host.start(["sh", "-c", "echo $$; exec cat"]);
			running.output.on("data", (text) => process.stdout.write(text));`;
		const node = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		const [pid] = (await once(createInterface({ input: node.stdout }), "line")) as [string];
		const before = clientsBy(identity);
		expect(before).not.toBe("");
		node.kill("SIGKILL");
		await until(() => !existsSync(`/proc/${pid}`));
		await until(() => clientsBy(identity) === "");
	}, 180_000);

	test("shows its host key to whoever asks", async () => {
		expect((await scan("127.0.0.1", machine.machine.port)).key).toBe(machine.machine.hostKey);
		await expect(scan("127.0.0.1", 1)).rejects.toMatchObject({ code: "machine-silent" });
		await expect(scan("-oProxyCommand=x", 22)).rejects.toMatchObject({ code: "not-valid" });
	}, 180_000);

	test("freezes a service's processes until it is thawed, and holds it back meanwhile", async () => {
		const agent = machine.agent();
		const beat = machine.at("beat");
		for (const unit of ["web.service", "worker.service"])
			machine.unit(unit, `while :; do echo ${unit} >>'${beat}'; sleep 0.02; done`);
		machine.declare("dep/snac", { units: ["web.service", "worker.service"], volumes: {} });
		for (let n = 0; n < 2; n++) await agent.thaw("dep/snac");
		await until(() => existsSync(beat) && /worker/.test(readFileSync(beat, "utf8")));
		expect((await agent.probe("dep/snac")).units).toEqual({ "web.service": "active", "worker.service": "active" });
		for (let n = 0; n < 2; n++) await agent.freeze("dep/snac");
		const size = statSync(beat).size;
		expect(readFileSync(machine.at("state/frozen/dep/snac"), "utf8")).toBe("frozen\n");
		expect(await agent.probe("dep/snac")).toEqual({
			held: "frozen",
			units: { "web.service": "inactive", "worker.service": "inactive" },
			answer: null,
		});
		await agent.stop("dep/snac");
		expect((await agent.describe()).services["dep/snac"]?.held).toBe("stopped");
		expect(statSync(beat).size).toBe(size);
		await agent.thaw("dep/snac");
		expect(existsSync(machine.at("state/frozen/dep/snac"))).toBe(false);
		await until(() => statSync(beat).size > size);
		await agent.stop("dep/snac");
	}, 180_000);

	test("says which unit would not stop, and stays held", async () => {
		machine.declare("dep/bad", { units: ["unheard-of.service"], volumes: {} });
		await expect(machine.agent().freeze("dep/bad")).rejects.toMatchObject({
			...{ code: "machine-unit", params: { units: "unheard-of.service", machine: "one (127.0.0.1)" } },
		});
		expect((await machine.agent().describe()).services["dep/bad"]?.held).toBe("frozen");
	}, 180_000);

	test("takes secrets whole, for root alone, and gives none away", async () => {
		const agent = machine.agent();
		const file = machine.at("state/secrets/dep/snac/key");
		for (const value of ["first", "a longer one\n", Buffer.from([0, 255, 10])]) {
			await agent.putSecret("dep/snac", "key", value);
			expect(readFileSync(file)).toEqual(Buffer.from(value));
			expect(statSync(file).mode & 0o777).toBe(0o400);
		}
		expect(statSync(machine.at("state/secrets/dep/snac")).mode & 0o777).toBe(0o700);
		for (let n = 0; n < 2; n++) await agent.removeSecret("dep/snac", "key");
		expect(existsSync(machine.at("state/secrets/dep"))).toBe(false);
	}, 180_000);

	test("refuses whatever it does not declare", async () => {
		const agent = machine.agent();
		const refused = expect.objectContaining({ code: "machine-lacks" });
		const names = ["other/service", "dep", "../dep", "dep/snac/x", "dep/--all"];
		for (const name of names) await expect(agent.freeze(name), name).rejects.toEqual(refused);
		for (const name of ["..", "a/b"]) await expect(agent.putSecret("dep/snac", name, "x")).rejects.toEqual(refused);
		const { host, program } = agent;
		for (const words of [["reboot"], [], ["volume", "source", about.version, "dep/snac", "data", "m"], ["__proto__"]])
			expect((await host.run([...program, ...words])).errors).toContain("machine-lacks");
		machine.declare("dep/vol", { units: [], volumes: { data: { kind: "directory", path: machine.at("x") } } });
		for (const move of ["..", "a/b"])
			expect(
				(await host.run([...program, "volume", "source", about.version, "dep/vol", "data", move])).errors,
			).toContain("machine-lacks");
	}, 180_000);

	test("erases what a service keeps, through no link, and its secrets", async () => {
		const [folder, outside] = [machine.at("keeps"), machine.at("outside")];
		for (const one of [folder, outside]) mkdirSync(join(one, "deep"), { recursive: true });
		for (const one of [folder, outside]) writeFileSync(join(one, "deep", "file"), "x");
		symlinkSync(outside, join(folder, "link"));
		chmodSync(join(folder, "deep"), 0o500);
		for (const suffix of ["", "-wal"]) writeFileSync(machine.at(`kept.db${suffix}`), "x");
		const volumes = {
			files: { kind: "directory", path: folder },
			base: { kind: "sqlite", path: machine.at("kept.db") },
		} as const;
		machine.declare("dep/gone", { units: [], volumes });
		const agent = machine.agent();
		await agent.putSecret("dep/gone", "key", "x");
		expect(await agent.size("dep/gone")).toBeGreaterThan(0);
		for (let n = 0; n < 2; n++) await agent.erase("dep/gone");
		expect(readdirSync(folder)).toEqual([]);
		expect(existsSync(machine.at("kept.db")) || existsSync(machine.at("kept.db-wal"))).toBe(false);
		expect(readFileSync(join(outside, "deep", "file"), "utf8")).toBe("x");
		expect(existsSync(machine.at("state/secrets/dep/gone"))).toBe(false);
		// It is held back until the machine no longer knows it, and then nothing of it is left.
		expect(existsSync(machine.at("state/frozen/dep/gone"))).toBe(true);
		machine.withdraw("dep/gone");
		for (let n = 0; n < 2; n++) await agent.thaw("dep/gone");
		expect(existsSync(machine.at("state/frozen/dep/gone"))).toBe(false);
	}, 180_000);

	test("is asked how it is: the service itself, and the whole machine", async () => {
		const server = createServer((request, response) =>
			response.writeHead(request.headers.host === "choir.example" ? 200 : 500).end(),
		);
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
		machine.declare("dep/well", { units: [], volumes: {}, health: { url, host: "choir.example" } });
		machine.declare("dep/ill", { units: [], volumes: {}, health: { url } });
		const agent = machine.agent();
		expect((await agent.probe("dep/well")).answer?.ok).toBe(true);
		expect((await agent.probe("dep/ill")).answer).toMatchObject({ ok: false, detail: "It answers 500" });
		server.close();
		const carrying = { ...machine.machine, deployment: "dep", memoryMiB: 1, diskGiB: 1 };
		const found = await check(carrying, agent, about.version);
		expect(
			found.filter(({ check }) => ["reached", "agent", "memory", "system"].includes(check)).map(({ state }) => state),
		).toEqual(["good", "good", "good", "good"]);
		const { length } = (
			await check({ ...carrying, memoryMiB: 1e9, system: "other", deployment: null }, agent, "0")
		).filter(({ state, fix }) => state !== "good" && fix);
		expect(length).toBeGreaterThanOrEqual(4);
		const [silent] = await check(carrying, machine.agent(machine.host({ ...machine.machine, port: 1 })), about.version);
		expect(silent).toMatchObject({ check: "reached", state: "bad", fix: expect.stringContaining("Start the machine") });
	}, 180_000);

	test("says when it has no agent", async () => {
		const agent = machine.agent();
		const none = new (agent.constructor as typeof import("../agent/agent.ts").Agent)(agent.host, ["no-such-agent"]);
		await expect(none.describe()).rejects.toMatchObject({ code: "machine-agent" });
	}, 180_000);
});

/** Clients of ssh that use this key, as the process table has them. */
function clientsBy(identity: string): string {
	const all = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" }).split("\n");
	return all.filter((line) => line.includes(`IdentityFile=${identity} `)).join("\n");
}

async function until(isSo: () => boolean): Promise<void> {
	while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}
