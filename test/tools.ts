import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** What some tests need besides npm's packages: the Debian package, a file of it, and which tests go without. */
const tools: readonly (readonly [debian: string, files: readonly string[], tests: string])[] = [
	["chromium-headless-shell", ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"], "the panel in a browser"],
	["fonts-dejavu-core", ["/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/TTF"], "pictures of the panel"],
	["knot", ["/usr/sbin/knotd"], "zones at a real name server"],
	["knot-dnsutils", ["/usr/bin/kdig"], "the demo's name server, asked by others"],
	["openssh-client", ["/usr/bin/ssh-keygen"], "SSH keys beside ssh-keygen"],
];

/** Installs with apt what is missing, as root on Debian; elsewhere says what to install and what is skipped without it. */
export function provideTools(say: (line: string) => void): void {
	const missing = tools.filter(([, files]) => !files.some((file) => existsSync(file)));
	if (missing.length === 0) return;
	const names = missing.map(([debian]) => debian);
	if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
		say(`Installing ${names.join(", ")} …`);
		apt(names, say);
	}
	const left = missing.filter(([, files]) => !files.some((file) => existsSync(file)));
	if (left.length === 0) return;
	say(
		`Not installed: ${left.map(([debian]) => debian).join(", ")}. Skipped without: ${left.map(([, , tests]) => tests).join("; ")}.`,
	);
	say(`On Debian or Ubuntu: sudo apt-get install --no-install-recommends ${left.map(([debian]) => debian).join(" ")}`);
}

function apt(names: readonly string[], say: (line: string) => void): void {
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
	// The tests start a name server of their own; the one of the package shall not run beside it.
	if (names.includes("knot") && existsSync("/run/systemd/system")) spawnSync("systemctl", ["disable", "--now", "knot"]);
}
