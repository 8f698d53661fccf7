import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "#protocol/problem.ts";
import type { Report } from "../engine.ts";
import { mainSource, oneLine, releaseIn, releaseSources, type Source, sourcesIn } from "./debian-sources.ts";
import type { Program, Workshop } from "./recipe.ts";

/** A program in a Debian package: the package's name, and the program's path in it. */
export interface Packaged {
	readonly name: string;
	readonly program: string;
	/** Names of packages besides shared libraries that it needs; they must work without being installed, too. */
	readonly needs?: RegExp;
}

/** Beside the package's own files. */
const versionFile = ".version";

/** Whether packages can be fetched as below: this is Debian, new enough, and its tools are here. Without network. */
export async function hasDebian(shop: Workshop): Promise<boolean> {
	if (shop.platform !== "linux" || !here()) return false;
	const tools = await Promise.all(["apt-get", "apt-config", "dpkg-deb", "ldd"].map((tool) => shop.which(tool)));
	return tools.every(Boolean);
}

/** The program, if its package is in the cache already. */
export async function fromCache(shop: Workshop, { name, program }: Packaged): Promise<Program | undefined> {
	const folder = await shop.kept(folderName(name));
	return folder && existsSync(join(folder, program)) ? inFolder(folder, program) : undefined;
}

/**
 * Unpacks a Debian package into the cache, without root and without touching the system: apt works with lists of its
 * own on the machine's own mirror and checks signatures as always; nothing is installed, and no script of the package
 * runs. Backports come first, being newer and their list short. What it needs and this machine lacks is put beside it.
 */
export async function fromDebian(shop: Workshop, report: Report, packaged: Packaged): Promise<Program> {
	const machine = here();
	if (!machine) throw new Problem("program-missing", { program: packaged.name, fix: "install it on this machine" });
	const { codename, source, all } = machine;
	const folder = await shop.keep(folderName(packaged.name), async (scratch) => {
		const apt = new Apt(shop, report, join(scratch, ".apt"));
		await apt.prepare();
		report.progress(0.1, "package list");
		const backports = await apt.use([{ ...source, suite: `${codename}-backports` }], packaged.name);
		const version = backports ?? (await apt.use([source], packaged.name));
		if (!version) throw new Problem("program-missing", { program: packaged.name, fix: "install it on this machine" });
		report.progress(0.6, "package");
		report.log(`Fetching ${packaged.name} ${version} from Debian ${codename}${backports ? "-backports" : ""}`);
		await apt.unpack([packaged.name], scratch);
		if (packaged.needs || (await lacksLibraries(shop, report, join(scratch, packaged.program)))) {
			report.progress(0.7, "libraries");
			await apt.use([source, ...all, { ...source, suite: `${codename}-backports` }], packaged.name);
			await apt.unpack(await apt.missing(packaged), scratch);
		}
		await writeFile(join(scratch, versionFile), version);
		await rm(join(scratch, ".apt"), { recursive: true });
	});
	return inFolder(folder, packaged.program);
}

/** apt with everything of its own but the mirror, the keys and how to get out to the network. */
class Apt {
	readonly #shop: Workshop;
	readonly #report: Report;
	readonly #folder: string;

	constructor(shop: Workshop, report: Report, folder: string) {
		this.#shop = shop;
		this.#report = report;
		this.#folder = folder;
	}

	async prepare() {
		const at = (path: string) => join(this.#folder, path);
		for (const path of ["lists/partial", "cache/archives/partial", "debs"]) await mkdir(at(path), { recursive: true });
		const machine = await this.#shop.run(["apt-config", "dump"], this.#report, { quiet: true });
		const wayOut = machine.split("\n").filter((line) => /^Acquire::(?!Languages)/.test(line));
		const own = {
			"Dir::Etc::main": "/dev/null",
			"Dir::Etc::parts": "/dev/null",
			"Dir::Etc::sourceparts": "/dev/null",
			"Dir::Etc::sourcelist": at("sources.list"),
			"Dir::State::lists": at("lists"),
			"Dir::State::status": "/var/lib/dpkg/status",
			"Dir::Cache": at("cache"),
			"APT::Install-Recommends": "0",
			// Otherwise apt drops to a user who cannot write here.
			"APT::Sandbox::User": "root",
			"Acquire::Languages": "none",
		};
		const lines = Object.entries(own).map(([name, value]) => `${name} "${value}";`);
		await writeFile(at("apt.conf"), [...wayOut, ...lines, ""].join("\n"));
	}

	/** Works with these sources from now on; answers which version of the package they have, if any. */
	async use(sources: readonly Source[], name: string): Promise<string | undefined> {
		await writeFile(join(this.#folder, "sources.list"), [...new Set(sources.map(oneLine))].join("\n"));
		try {
			await this.#run(["apt-get", "update", "-qq", "--error-on=any"]);
		} catch (error) {
			this.#report.signal.throwIfAborted();
			if (sources.length > 1) throw error;
			return undefined;
		}
		return /Candidate: (?!\(none\))(\S+)/.exec(await this.#run(["apt-cache", "policy", name]))?.[1];
	}

	async unpack(names: readonly string[], into: string) {
		if (names.length === 0) return;
		const debs = join(this.#folder, "debs");
		await this.#run(["apt-get", "download", "-qq", ...names], debs);
		for (const deb of globSync("*.deb", { cwd: debs })) {
			await this.#run(["dpkg-deb", "-x", join(debs, deb), into]);
			await rm(join(debs, deb));
		}
	}

	/** What apt would newly install besides the package itself; of that only what works without its scripts. */
	async missing({ name, needs }: Packaged): Promise<string[]> {
		const plan = await this.#run(["apt-get", "install", "-s", "-qq", name]);
		const all = [...plan.matchAll(/^Inst (\S+) \(/gm)].map(([, found = ""]) => found);
		const wanted = all.filter((found) => found.startsWith("lib") || needs?.test(found));
		if (wanted.length > 0) this.#report.log(`Fetching ${wanted.join(", ")} too, which this machine lacks`);
		return wanted;
	}

	/** Reports what went wrong only, and no addresses: which mirror a machine uses is nobody's business. */
	#run(command: readonly [string, ...string[]], folder?: string): Promise<string> {
		const env = { APT_CONFIG: join(this.#folder, "apt.conf"), LC_ALL: "C" };
		const line = (text: string) => {
			if (/^[EW]: /.test(text)) this.#report.log(text.replaceAll(/\w+:\/\/\S+/g, "…"));
		};
		return this.#shop.run(command, this.#report, { env, line, ...(folder && { folder }) });
	}
}

async function lacksLibraries(shop: Workshop, report: Report, file: string): Promise<boolean> {
	return (await shop.run(["ldd", file], report, { quiet: true })).includes("not found");
}

function inFolder(folder: string, program: string): Program {
	const [libraries] = globSync("usr/lib/*-linux-gnu*", { cwd: folder });
	const version = textOf(join(folder, versionFile));
	return {
		path: join(folder, program),
		folder,
		...(version !== "" && { version }),
		...(libraries && { env: { LD_LIBRARY_PATH: join(folder, libraries) } }),
	};
}

/** The release matters: a program of one does not run with the libraries of another. */
function folderName(name: string): string {
	return `${name}-${here()?.codename ?? "elsewhere"}-${process.arch}`;
}

function here(): { codename: string; source: Source; all: Source[] } | undefined {
	const codename = releaseIn(textOf("/etc/os-release"));
	if (!codename) return undefined;
	const lists = globSync("/etc/apt/sources.list.d/*.{list,sources}").sort();
	const sources = ["/etc/apt/sources.list", ...lists].flatMap((file) => sourcesIn(file, textOf(file)));
	const source = mainSource(sources, codename);
	return source && { codename, source, all: releaseSources(sources, codename) };
}

function textOf(file: string): string {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return "";
	}
}
