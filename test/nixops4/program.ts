/** Test equipment: which `nixops4` tests run. The stand-in; the real one where NIXOPS4 is its path, with NIXOPS4_SRC and NIXPKGS_LIB. */
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const here = import.meta.dirname;
const { NIXOPS4, NIXOPS4_SRC, NIXPKGS_LIB } = process.env;

/** The real one does not go wrong when it is told to. */
export const isReal = NIXOPS4 !== undefined;
/** For the names of tests. */
export const named = isReal ? "the real NixOps4" : "NixOps4's stand-in";
export const nixops4 = NIXOPS4 ?? join(here, "bin/nixops4");

const local = join(dirname(nixops4), "nixops4-resources-local");
/** A Nix expression with its `lib` and `mkRoot`. */
export const side = isReal
	? `import ${join(here, "../nix/side.nix")} { source = ${NIXOPS4_SRC}; lib = ${NIXPKGS_LIB}; ${existsSync(local) ? `local = "${local}";` : ""} }`
	: `import ${join(here, "../nix/mk-root.nix")}`;

/** What it has to find in its environment beside the rest; `nix` is from get-nix.ts. */
export function environmentFor(nix: string): Record<string, string> {
	const path = `${dirname(process.execPath)}:${process.env["PATH"]}`;
	return isReal ? { PATH: `${dirname(nix)}:${path}` } : { _NIXOPS4_EVAL: nix, PATH: path };
}

/** Where `root` of the tests is with this side; another one is made in `folder`, which is not there yet. */
export function rootIn(folder: string, root: string): string {
	if (!isReal) return root;
	mkdirSync(folder, { recursive: true });
	for (const name of readdirSync(root)) if (name.endsWith(".json")) symlinkSync(join(root, name), join(folder, name));
	writeFileSync(join(folder, "default.nix"), `{ plan }: import ${root} { inherit plan; side = ${side}; }\n`);
	return folder;
}
