import { Problem } from "#protocol/problem.ts";
import type { Host, Ran } from "../machines/host.ts";
import { type FailureMessage, failureOf } from "./failure.ts";
import type { Description, Health } from "./look.ts";

/** How the agent is called on machines that nix/volumes.nix has set up. */
export const agentProgram: readonly string[] = ["fediversity-agent"];

/** What can be asked of a machine, from the node's side. `service` is `<deployment>/<service>`; doing anything twice is fine. */
export class Agent {
	readonly host: Host;
	readonly program: readonly string[];

	constructor(host: Host, program: readonly string[] = agentProgram) {
		this.host = host;
		this.program = program;
	}

	async describe(signal?: AbortSignal): Promise<Description> {
		return (await this.#ask(["describe"], { signal, deadline: 60 })) as Description;
	}

	/** Resolves when nothing of the service runs any more; it stays so until `thaw`, also when the machine starts anew. */
	async freeze(service: string, signal?: AbortSignal): Promise<void> {
		await this.#ask(["freeze", service], { signal });
	}

	/** Like `freeze`, for a service that is not to come back soon. */
	async stop(service: string, signal?: AbortSignal): Promise<void> {
		await this.#ask(["stop", service], { signal });
	}

	async thaw(service: string, signal?: AbortSignal): Promise<void> {
		await this.#ask(["thaw", service], { signal });
	}

	/** Removes what its volumes hold, and its secrets. It stays stopped. */
	async erase(service: string, signal?: AbortSignal): Promise<void> {
		await this.#ask(["erase", service], { signal, deadline: 3600 });
	}

	/** The first account gets the password that now lies among the service's secrets there. */
	async setPassword(service: string, signal?: AbortSignal): Promise<void> {
		await this.#ask(["account", service], { signal, deadline: 300 });
	}

	/** The value goes through the connection only, never into words, logs or the store of Nix. */
	async putSecret(service: string, secret: string, value: string | Uint8Array, signal?: AbortSignal): Promise<void> {
		await this.#ask(["secret-put", service, secret], { signal, input: value });
	}

	async removeSecret(service: string, secret: string, signal?: AbortSignal): Promise<void> {
		await this.#ask(["secret-remove", service, secret], { signal });
	}

	/** Bytes of its files; null: cannot be told. */
	async size(service: string, signal?: AbortSignal): Promise<number | null> {
		return ((await this.#ask(["size", service], { signal })) as { bytes: number | null }).bytes;
	}

	async probe(service: string, signal?: AbortSignal): Promise<Health> {
		return (await this.#ask(["probe", service], { signal, deadline: 60 })) as Health;
	}

	async #ask(
		words: readonly string[],
		{ signal, ...options }: { signal?: AbortSignal | undefined; deadline?: number; input?: string | Uint8Array },
	): Promise<unknown> {
		const ran = await this.host.run([...this.program, ...words], { ...options, ...(signal && { signal }) });
		if (ran.code !== 0) throw this.failure(ran);
		return ran.output ? JSON.parse(ran.output) : undefined;
	}

	/** Why it ended. */
	failure({ code, errors }: Pick<Ran, "code" | "errors">): Error {
		const last = errors.trim().split("\n").at(-1) ?? "";
		const machine = this.host.name;
		try {
			const message = JSON.parse(last) as FailureMessage;
			const params = { ...message.params, ...(message.params?.["machine"] && { machine }) };
			return failureOf({ ...message, params });
		} catch {
			const reason = code === 127 ? "it is not installed" : last || `it ended with ${code}`;
			return new Problem("machine-agent", { machine, reason });
		}
	}
}
