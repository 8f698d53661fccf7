/** Test equipment: goes to a machine of straw by ssh, as nixops4-nixos goes to a machine with NixOS, and switches it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { machine, identityFile, plan, resources } = JSON.parse(readFileSync(0, "utf8"));
const folder = mkdtempSync(join(tmpdir(), "straw-reach-"));
try {
	writeFileSync(join(folder, "known"), `machine ${machine.hostKey}\n`);
	const settings = [
		...["HostKeyAlias=machine", `UserKnownHostsFile=${join(folder, "known")}`, "StrictHostKeyChecking=yes"],
		...["BatchMode=yes", "IdentitiesOnly=yes", `IdentityFile=${identityFile}`, "LogLevel=ERROR"],
	];
	const words = ["-F", "none", "-p", `${machine.port}`, "-l", machine.user, ...settings.flatMap((one) => ["-o", one])];
	const { status } = spawnSync("ssh", [...words, "--", machine.address, "straw-switch"], {
		input: JSON.stringify({ plan, resources }),
		stdio: ["pipe", "inherit", "inherit"],
	});
	process.exitCode = status ?? 255;
} finally {
	rmSync(folder, { recursive: true, force: true });
}
