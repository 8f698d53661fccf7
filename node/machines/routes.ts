import type { z } from "zod";
import type { MachineView } from "#protocol/api/staff.ts";
import { parseKey } from "../customers/ssh-key.ts";
import type { Deployments } from "../deployments/deployments.ts";
import { implement, type Routes } from "../web/implement.ts";
import type { Fleet } from "./fleet.ts";
import type { Carrying } from "./machine.ts";

export interface MachineRouteParts {
	readonly fleet: Fleet;
	/** This node's. */
	readonly version: string;
	readonly deployments: Pick<Deployments, "find">;
}

/** `/staff/machines`, and what it takes to add one. */
export function machineRoutes(routes: Routes, { fleet, version, deployments }: MachineRouteParts) {
	const { machines, identity } = fleet;
	const viewOf = (machine: Carrying) => {
		const domain = machine.deployment === null ? undefined : deployments.find(machine.deployment)?.domain;
		return { ...factsOf(machine), domain: domain ?? null };
	};
	implement(routes, "GET /staff/machines", () => ({ items: machines.all().map(viewOf) }));
	implement(routes, "POST /staff/machines", ({ body }) => viewOf(machines.add(body)));
	implement(routes, "PATCH /staff/machines/{id}", ({ path, body }) => viewOf(machines.change(path.id, body)));
	implement(routes, "DELETE /staff/machines/{id}", ({ path }) => machines.remove(path.id));
	implement(routes, "GET /staff/machines/{id}/findings", async ({ path }) => {
		const { check } = await import("./check.ts");
		return { items: await check(machines.get(path.id), fleet.agent(path.id), version) };
	});
	implement(routes, "GET /staff/machine-key", async () => ({ publicKey: await identity.publicKey() }));
	implement(routes, "GET /staff/host-key", async ({ query }) => {
		const { scan } = await import("./scan.ts");
		const { key, fingerprint } = await scan(query.address, query.port);
		return { hostKey: key, fingerprint };
	});
}

function factsOf({ createdAt, ...machine }: Carrying): Omit<z.infer<typeof MachineView>, "domain"> {
	const { fingerprint } = parseKey(machine.hostKey);
	return { ...machine, fingerprint, createdAt: new Date(createdAt).toISOString() };
}
