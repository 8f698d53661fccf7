import type { Backend } from "../engine.ts";

/** Which deployment answers under a host name, from memory. */
export class Addresses {
	readonly #backends = new Map<string, Backend>();
	readonly #hosts = new Map<string, readonly string[]>();

	/** In place of what the deployment had before. */
	set(deployment: string, hosts: readonly string[], backend: Backend): void {
		this.remove(deployment);
		this.#hosts.set(deployment, hosts);
		for (const host of hosts) this.#backends.set(host, backend);
	}

	/** Twice is fine. */
	remove(deployment: string): void {
		for (const host of this.#hosts.get(deployment) ?? []) this.#backends.delete(host);
		this.#hosts.delete(deployment);
	}

	find(host: string): Backend | undefined {
		return this.#backends.get(host);
	}
}
