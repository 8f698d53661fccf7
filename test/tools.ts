import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** What some tests need besides npm's packages: the Debian package, a file of it, and which tests go without. */
type Tool = readonly [debian: string, files: readonly string[], tests: string];

const known: readonly Tool[] = [
	["chromium-headless-shell", ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"], "the panel in a browser"],
	["fonts-dejavu-core", ["/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/TTF"], "pictures of the panel"],
	["knot", ["/usr/sbin/knotd"], "zones at a real name server"],
	["knot-dnsutils", ["/usr/bin/kdig"], "the demo's name server, asked by others"],
	["openssl", ["/usr/bin/openssl"], "forwarding by TLS"],
	["postgresql-15", ["/usr/lib/postgresql/15/bin/postgres"], "databases that move"],
	["spin", ["/usr/bin/spin"], "the migration's model in Promela"],
	["gcc", ["/usr/bin/gcc"], "the migration's model in Promela"],
	["iproute2", ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"], "moves over bad lines"],
	["openssh-client", ["/usr/bin/ssh-keygen"], "SSH keys beside ssh-keygen"],
	["openssh-server", ["/usr/sbin/sshd"], "machines behind ssh"],
];

/** What a package starts by itself. */
const services: Readonly<Record<string, string>> = {
	knot: "knot",
	"openssh-server": "ssh",
	"postgresql-15": "postgresql",
};

type Say = (line: string) => void;
type Install = (names: readonly string[], say: Say) => void;

/** Installs what is missing where that is possible; elsewhere says what to install, and what is skipped without it. */
export function provideTools(say: Say, tools: readonly Tool[] = known, install: Install | null = installer()): void {
	const isMissing = ([, files]: Tool) => !files.some((file) => existsSync(file));
	const missing = tools.filter(isMissing);
	if (missing.length > 0) install?.(namesOf(missing), say);
	const left = missing.filter(isMissing);
	if (left.length === 0) return;
	say(`Not installed: ${namesOf(left).join(", ")}. Skipped without: ${left.map(([, , tests]) => tests).join("; ")}.`);
	say(`On Debian or Ubuntu: sudo apt-get install --no-install-recommends ${namesOf(left).join(" ")}`);
}

const namesOf = (tools: readonly Tool[]) => tools.map(([debian]) => debian);

/** apt, if we are root on Debian. */
function installer(): Install | null {
	return process.getuid?.() === 0 && existsSync("/usr/bin/apt-get") ? apt : null;
}

function apt(names: readonly string[], say: Say): void {
	say(`Installing ${names.join(", ")} …`);
	const run = (...args: string[]) =>
		spawnSync("apt-get", ["-qq", "-o", "DPkg::Lock::Timeout=120", ...args], {
			encoding: "utf8",
			env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
		});
	run("update");
	// One by one if not all at once: a distribution that lacks one of them still gets the others.
	if (run("install", "-y", "--no-install-recommends", ...names).status !== 0)
		for (const name of names) {
			const { status, stderr } = run("install", "-y", "--no-install-recommends", name);
			if (status !== 0) say(`${name} could not be installed: ${stderr.trim().split("\n").at(-1)}`);
		}
	// The tests start a name server and a database of their own; those of the packages shall not run beside them.
	const own = names.flatMap((name) => services[name] ?? []);
	if (own.length > 0 && existsSync("/run/systemd/system")) spawnSync("systemctl", ["disable", "--now", ...own]);
}
