import type { Plan as NixPlan } from "#protocol/nixops4/plan.ts";
import { parseKey } from "../../customers/ssh-key.ts";
import { serviceNamed } from "../../services/catalogue.ts";
import type { Service } from "../../services/service.ts";
import type { Plan, PlannedService } from "../engine.ts";

/** What this node's set-up adds to every plan. */
export interface Site {
	/** How NixOps4 starts our provider. */
	readonly provider: { readonly executable: string; readonly args: readonly string[] };
	/** With which key it gets to machines; null: the ssh client decides. */
	readonly identityFile: string | null;
	/** Nix's name for what machines are, such as `x86_64-linux`. */
	readonly system: string;
	/** Public keys with which a deployment's customer may sign in to its machine; null: nobody may. */
	readonly customerKeys: ((deployment: string) => readonly string[]) | null;
}

/** Memory that NixOS itself and the web server take, and room on the disk for the system and its predecessor. */
const systemNeeds = { memoryMiB: 512, diskMiB: 8192 };

/** The services that this engine has modules for, in nix/services/. */
export const modules: readonly string[] = ["mastodon", "peertube", "pixelfed", "garage", "galene", "gotosocial"];

/**
 * plan.json for what is wanted. Whether services rest is the agent's matter, which takes seconds, so that a plan which
 * serves again is one that NixOps4 has made true before. The customer's DNS records are the node's own, since its gateway
 * stands in front of the machine: that is where requests wait while services rest, and are forwarded once they have moved.
 */
export function planned(plan: Plan, site: Site, machine: "present" | "absent" = "present"): NixPlan {
	const services = plan.services.map((one) => [one, described(one.name)] as const);
	const sum = (of: (service: Service) => number) => services.reduce((all, [, service]) => all + of(service), 0);
	return {
		version: 1,
		deployment: plan.deployment,
		domain: plan.domain,
		mode: plan.mode === "absent" ? "absent" : "serving",
		generation: 0,
		provider: { executable: site.provider.executable, args: [...site.provider.args] },
		machine: {
			memoryMiB: systemNeeds.memoryMiB + sum(({ size }) => size.memoryMiB),
			diskMiB: systemNeeds.diskMiB + sum(({ size }) => size.diskMiB),
			system: site.system,
			ensure: machine,
		},
		ssh: { identityFile: site.identityFile },
		customerKeys: plan.mode === "absent" ? [] : keysOf(plan, site),
		// Where the machine goes back nothing is on it any more.
		services:
			machine === "absent" ? {} : Object.fromEntries(services.map(([one, service]) => [one.name, entry(one, service)])),
	};
}

/** Looked at once more: a line of its own making would be one in root's trust. */
export function keysOf({ deployment }: Pick<Plan, "deployment">, { customerKeys }: Site): string[] {
	return (customerKeys?.(deployment) ?? []).map((line) => parseKey(line).key).sort();
}

function entry({ hosts, origin, owner }: PlannedService, service: Service): NixPlan["services"][string] {
	return {
		hosts: [...hosts],
		origin,
		owner: { username: owner.username, email: owner.email },
		secrets: [...service.secrets],
		buckets: {},
		records: {},
		// The agent asks them where they are; from outside nobody is let in before all of the run is done.
		probe: null,
	};
}

function described(name: string): Service {
	const service = serviceNamed(name);
	if (!service) throw new Error(`${name} is not in the catalogue`);
	return service;
}

/**
 * Whether NixOps4 has nothing to do: what it has made true is this, whichever run it was, and from wherever the node and
 * its key were started then. A customer's keys alone are not worth a run, since services that rest must wake in seconds:
 * they go along with the next one.
 */
export function isSame(applied: NixPlan | null, wanted: NixPlan): boolean {
	const bare = (plan: NixPlan) =>
		JSON.stringify({ ...plan, generation: 0, provider: null, ssh: null, customerKeys: [] });
	return applied !== null && bare(applied) === bare(wanted);
}
