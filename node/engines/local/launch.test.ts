import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { launch } from "./launch.ts";
import type { Confinement } from "./unit.ts";

const argv = ["/usr/bin/snac", "httpd", "/srv/it's here"] as const;
const free: Confinement = { user: null, mounts: null, ownSharedMemory: false, behind: [], limits: null };

function text(confinement: Partial<Confinement>): string {
	return launch([...argv], "/srv/it's here", { ...free, ...confinement }).join(" ");
}

describe("the command line", () => {
	test("is the program itself where nothing can be confined, as on macOS", () => {
		expect(launch([...argv], "/srv", free)).toEqual(argv);
	});

	test("sets limits, and counts processes only for a user of its own", () => {
		expect(text({ limits: { files: 4096, processes: null, memoryMiB: 512 } })).toBe(
			"prlimit --core=0 --nofile=4096 --data=536870912 -- /usr/bin/snac httpd /srv/it's here",
		);
		expect(text({ limits: { files: 64, processes: 32, memoryMiB: 1 } })).toContain("--data=1048576 --nproc=32 -- ");
	});

	test("takes every power away before it becomes the user", () => {
		expect(text({ user: 1_900_000_001 })).toBe(
			"setpriv --reuid=1900000001 --regid=1900000001 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all -- /usr/bin/snac httpd /srv/it's here",
		);
	});

	test("makes /dev/shm anew as root, then sets limits, then changes the user", () => {
		const limits = { files: 64, processes: 32, memoryMiB: 1 };
		const line = text({ user: 1_900_000_001, mounts: "root", ownSharedMemory: true, limits });
		const parts = [
			"unshare --mount --propagation private -- sh -c set -eu\n",
			"mount -t tmpfs",
			"/dev/shm\ncd '/srv/it'\\''s here'\nexec \"$@\" sh ",
			"prlimit ",
			"setpriv --reuid",
			"/usr/bin/snac",
		];
		const places = parts.map((part) => line.indexOf(part));
		expect(places).toEqual([...places].sort((a, b) => a - b));
		expect(places).not.toContain(-1);
	});

	test("does the same within a user namespace, and gives that up again", () => {
		const line = text({ mounts: "user", ownSharedMemory: true });
		expect(line).toMatch(/^unshare --user --map-root-user --mount --propagation private -- sh -c /);
		expect(line).toMatch(/ sh setpriv --no-new-privs --inh-caps=-all --bounding-set=-all -- \/usr\/bin\/snac/);
	});

	test("makes no namespace when there is nothing to do in one", () => {
		expect(text({ mounts: "root" })).toBe(argv.join(" "));
		expect(text({ mounts: "user" })).toBe(argv.join(" "));
	});
});

describe.skipIf(process.platform !== "linux" || process.getuid?.() !== 0)("as root on Linux, for real", () => {
	test("folders behind a wall are where they were, for a user who could not go there, and nothing else is", () => {
		const wall = realpathSync(mkdtempSync(join(tmpdir(), "fediversity-wall-")));
		try {
			const folders = ["state of it", "quote'd"].map((name) => join(wall, "deep", name));
			for (const folder of folders) {
				mkdirSync(folder, { recursive: true });
				writeFileSync(join(folder, "file"), folder);
			}
			writeFileSync(join(wall, "vault.key"), "secret");
			const confinement: Confinement = { ...free, user: 1_900_000_001, mounts: "root", behind: [{ wall, folders }] };
			const seen = (script: string) => {
				const [command = "", ...args] = launch(["sh", "-c", script], folders[0] ?? "", confinement);
				return execFileSync(command, args, { encoding: "utf8" }).trim();
			};
			expect(seen('cat file; echo; cat "$PWD/../quote\'d/file"; echo; id -u').split("\n")).toEqual([
				...folders,
				"1900000001",
			]);
			expect(seen(`ls ${wall}`)).toBe("deep");
			expect(seen(`cat ${wall}/vault.key || echo no`)).toBe("no");
			const open = "ls /proc/self/fd";
			expect(seen(open), "what was opened on the way is closed").toBe(
				execFileSync("sh", ["-c", open], { encoding: "utf8" }).trim(),
			);
		} finally {
			rmSync(wall, { recursive: true });
		}
	});

	test("it is one process: what is started becomes the program", () => {
		const confinement: Confinement = {
			user: 1_900_000_001,
			mounts: "root",
			ownSharedMemory: true,
			behind: [],
			limits: { files: 64, processes: 32, memoryMiB: 64 },
		};
		const [command = "", ...args] = launch(
			["sh", "-c", "echo $$; ulimit -n; cut -d' ' -f1,4 /proc/$$/stat"],
			"/",
			confinement,
		);
		const [own, files, stat] = execFileSync("sh", ["-c", 'echo $$; exec "$@"', "sh", command, ...args], {
			encoding: "utf8",
		})
			.trim()
			.split("\n")
			.slice(1);
		expect(files).toBe("64");
		expect(stat).toBe(`${own} ${process.pid}`);
	});
});
