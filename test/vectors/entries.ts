/** Lines of listings that a target takes, and such as it refuses. */
const piece = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
const size = 256 * 1024;

/** In the order of canonical JSON. */
function line(entry: Record<string, unknown>): string {
	const names = Object.keys(entry).sort();
	return JSON.stringify(Object.fromEntries(names.map((name) => [name, entry[name]])));
}

const file = { mode: 420, modified: "1795363845000000000", path: "a/b", pieces: [piece], size: 5, type: "file" };
const bare = (type: string, path: string, more: object = {}) => line({ path, pieces: [], size: 0, type, ...more });
const at = (path: string) => line({ ...file, path });

export function entryVectors() {
	return {
		about: "Each by itself: whether folders come first and nothing comes twice is for the whole listing.",
		valid: [
			{ kind: "directory", line: line(file) },
			{ kind: "directory", line: at("ünï/€ %25 %FF") },
			{ kind: "directory", line: line({ ...file, size: size + 1, pieces: [piece, piece] }) },
			{ kind: "directory", line: bare("folder", "a", { mode: 493, modified: "-1" }) },
			{ kind: "directory", line: bare("symlink", "a/l", { target: "../b/c" }) },
			{ kind: "directory", line: bare("hardlink", "a/h", { target: "a/b" }) },
			{ kind: "sqlite", line: line(file) },
			{ kind: "postgres", line: bare("dump", "base", { meta: { a: "1", b: "2" } }) },
			{ kind: "bucket", line: bare("object", "%2Fa/%2Fb/%2E%2E/c%2F", { meta: { "content-type": "text/plain" } }) },
		],
		invalid: [
			...[
				"/a",
				"../a",
				"a/../b",
				"./a",
				"a//b",
				"a/",
				"",
				"a\u0000",
				"a%00",
				"%2E%2E/a",
				"a%2Fb",
				"%ff",
				"%C3%BC",
				"100%",
			].map((path) => ({ kind: "directory", line: at(path) })),
			{ kind: "directory", line: at("x".repeat(256)) },
			{ kind: "directory", line: line({ ...file, size: size + 1 }) },
			{ kind: "directory", line: line({ ...file, size: -1, pieces: [] }) },
			{ kind: "directory", line: line({ ...file, pieces: [`${piece.slice(0, 42)}1`] }) },
			{ kind: "directory", line: line({ ...file, mode: 4096 }) },
			{ kind: "directory", line: line({ ...file, modified: "01" }) },
			{ kind: "directory", line: line({ ...file, extra: 1 }) },
			{ kind: "directory", line: line({ ...file, type: "device" }) },
			{ kind: "directory", line: `${line(file)} ` },
			{ kind: "directory", line: line(file).replace('"size":5', '"size":5.0') },
			{ kind: "directory", line: bare("symlink", "a/l", { target: "/etc/passwd" }) },
			{ kind: "directory", line: bare("symlink", "a/l", { target: "../../b" }) },
			{ kind: "directory", line: bare("symlink", "a/l", { target: "b/../../.." }) },
			{ kind: "directory", line: bare("hardlink", "a/h", { target: "../b" }) },
			{ kind: "directory", line: bare("hardlink", "a/h", { target: "a/h" }) },
			{ kind: "directory", line: bare("object", "a") },
			{ kind: "bucket", line: line(file) },
			{ kind: "bucket", line: bare("object", "/a") },
			{ kind: "bucket", line: bare("object", "a/../b") },
			{ kind: "bucket", line: bare("object", "%41") },
			{ kind: "postgres", line: bare("symlink", "a", { target: "b" }) },
			{ kind: "postgres", line: bare("dump", "base", { meta: { a: 1 } }) },
			{ kind: "secret", line: line(file) },
		],
	};
}
