import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Nonces } from "./nonces.ts";

const [north, south] = ["https://north.example/actor#multikey-2", "https://south.example/actor#multikey-2"];
const nonce = (number: number) => String(number).padStart(22, "A");

let folder: string;
let now: number;
let opened: Nonces[];
beforeEach(() => {
	folder = join(mkdtempSync(join(tmpdir(), "nonces-")), "nonces");
	now = 1_800_000_000_000;
	opened = [];
});
afterEach(() => {
	for (const one of opened) one.close();
	rmSync(join(folder, ".."), { recursive: true });
});

function open(): Nonces {
	const nonces = new Nonces(folder, () => now);
	opened.push(nonces);
	return nonces;
}

test("a request is taken once, and another's with the same nonce is another one", () => {
	const nonces = open();
	expect(nonces.once(north, nonce(1), now + 70_000)).toBe(true);
	expect(nonces.once(north, nonce(1), now + 70_000)).toBe(false);
	expect(nonces.once(south, nonce(1), now + 70_000)).toBe(true);
	expect(nonces.once(north, nonce(2), now + 70_000)).toBe(true);
});

test("it is remembered as long as it is good, and what is too old leaves nothing", () => {
	const nonces = open();
	for (let second = 0; second < 600; second++) {
		expect(nonces.once(north, nonce(second), now + 70_000)).toBe(true);
		for (let ago = 1; ago < 70; ago += 23) {
			const before = second - ago;
			if (before >= 0) expect(nonces.once(north, nonce(before), now + 70_000 - ago * 1000)).toBe(false);
		}
		now += 1000;
	}
	expect(readdirSync(folder).length).toBeLessThan(6);
});

test("another process knows it too, also where the last line was cut off", () => {
	open().once(north, nonce(1), now + 70_000);
	now += 40_000;
	open().once(north, nonce(2), now + 70_000);
	appendFileSync(join(folder, readdirSync(folder).toSorted().at(-1) as string), `${now + 7}`);

	const nonces = open();
	expect([1, 2, 3].map((number) => nonces.once(north, nonce(number), now + 70_000))).toEqual([false, false, true]);
});

test("a process that is killed right after it forgets nothing", () => {
	const code = `
		const { Nonces } = await import(${JSON.stringify(join(import.meta.dirname, "nonces.ts"))});
		new Nonces(${JSON.stringify(folder)}, () => ${now}).once(${JSON.stringify(north)}, "${nonce(1)}", ${now + 70_000});
		process.kill(process.pid, "SIGKILL");`;
	expect(spawnSync(process.execPath, ["--input-type=module", "-e", code]).signal).toBe("SIGKILL");
	expect(open().once(north, nonce(1), now + 70_000)).toBe(false);
});

test("a clock that jumps forgets nothing that is still good by it", () => {
	const nonces = open();
	nonces.once(north, nonce(1), now + 70_000);
	now -= 300_000;
	nonces.once(north, nonce(2), now + 70_000);
	now += 301_000;
	expect(nonces.once(north, nonce(1), now + 69_000)).toBe(false);
});
