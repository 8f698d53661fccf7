/** The disk of the new provider: full, or not holding what it was given. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
	chmodSync,
	chownSync,
	closeSync,
	globSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { eventually } from "../stories/world.ts";
import { Choir, twoAdas } from "./choir.ts";
import { Pair } from "./pair.ts";

const small = mkdtempSync(join(tmpdir(), "fediversity-small-"));
chmodSync(small, 0o711);
const isMounted = mounted();
afterAll(() => {
	if (isMounted) execFileSync("umount", ["--lazy", small]);
	rmSync(small, { recursive: true });
});

function mounted(): boolean {
	try {
		execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", small], { stdio: "ignore" });
		return true;
	} catch {
		return false;
	}
}

/** A file among what the choir has uploaded. */
async function upload(choir: Choir, name: string, content: Buffer): Promise<void> {
	const folder = await choir.folder("north");
	const [user = ""] = globSync("**/user/ada", { cwd: folder });
	const { uid, gid } = statSync(join(folder, user));
	const file = join(folder, user, "static", name);
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, content);
	for (const path of [dirname(file), file]) chownSync(path, uid, gid);
}

test.skipIf(!isMounted)(
	"a full disk at the new provider is told, costs nothing at the old one, and once there is room it goes on (needs root to mount)",
	async () => {
		await using pair = await Pair.open({ folders: { south: small } });
		const choir = await Choir.found(pair, await twoAdas(pair), "full");
		await upload(choir, "concert.ogg", randomBytes(64 * 1024 * 1024));
		const begun = await choir.begin();
		await eventually("the new provider says why it waits", async () => {
			const { steps } = await choir.people.south.api("GET /jobs/{id}", { path: { id: begun.arrive } });
			return steps.some(({ problem }) => problem?.code === "disk-full");
		});
		await choir.post();
		expect((await choir.states()).north).toEqual(["serving"]);
		execFileSync("mount", ["-o", "remount,size=400m", small]);
		expect(await choir.ended(begun, 80)).toEqual(["done", "done"]);
		expect(await choir.losses("south")).toEqual([]);
	},
	180_000,
);

test("a byte that changes on the new provider's disk before the vote is found, and fetched again", async () => {
	await Pair.with({}, async (pair) => {
		const choir = await Choir.found(pair, await twoAdas(pair), "rot");
		const content = randomBytes(300_000);
		await upload(choir, "score.png", content);
		const reached = Promise.withResolvers<void>();
		const spoilt = Promise.withResolvers<void>();
		pair.internet.fate = ({ kind }) => {
			if (kind !== "final") return "pass";
			reached.resolve();
			return { hold: spoilt.promise };
		};
		const begun = await choir.begin();
		await reached.promise;
		const staged = globSync(`migrations/**/user/ada/static/score.png`, { cwd: pair.folderOf("south") });
		expect(staged).toHaveLength(1);
		spoil(join(pair.folderOf("south"), staged[0] ?? ""), 123_456);
		spoilt.resolve();
		expect(await choir.ended(begun, 80)).toEqual(["done", "done"]);
		const answer = await choir.get("/ada/s/score.png");
		expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
		expect(await choir.losses("south")).toEqual([]);
	});
}, 180_000);

/** Flips a bit, as a disk does it: size and time stay. */
function spoil(file: string, at: number): void {
	const { atime, mtime } = statSync(file);
	const fd = openSync(file, "r+");
	const byte = Buffer.alloc(1);
	readSync(fd, byte, 0, 1, at);
	writeSync(fd, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, at);
	closeSync(fd);
	utimesSync(file, atime, mtime);
}
