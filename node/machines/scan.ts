import { Problem } from "#protocol/problem.ts";
import { type PublicKey, parseKey } from "../customers/ssh-key.ts";
import { isAddress } from "./machine.ts";
import { started, toEnd } from "./run.ts";

const preferred = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"];

/**
 * The host key a machine shows to whoever asks, the best kind it has. Whether it is that machine's own is for a person to
 * say, who compares the fingerprint with what the machine's console shows. Throws `not-valid` and `machine-silent`.
 */
export async function scan(address: string, port: number): Promise<PublicKey> {
	if (!isAddress(address))
		throw new Problem(
			"not-valid",
			{},
			{ errors: [{ pointer: "/address", detail: "Write a host name or an IP address" }] },
		);
	const words = ["-T", "10", "-p", `${port}`, "-t", preferred.join(","), "--", address];
	const program = await started("ssh-keyscan", words).catch((error: NodeJS.ErrnoException) => {
		throw error.code === "ENOENT"
			? new Problem("program-missing", { program: "ssh-keyscan", fix: "install OpenSSH's client" })
			: error;
	});
	const { output } = await toEnd(program, { deadline: 60 });
	const shown = output.split("\n").flatMap((line) => /^[^#\s]\S* (\S+ \S+)/.exec(line)?.[1] ?? []);
	const best = preferred.flatMap((kind) => shown.filter((key) => key.startsWith(`${kind} `)))[0];
	if (!best) throw new Problem("machine-silent", { machine: `${address}:${port}`, reason: "it shows no host key" });
	return parseKey(best);
}
