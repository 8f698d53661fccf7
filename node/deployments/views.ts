import { domainToUnicode } from "node:url";
import type { z } from "zod";
import type { DeploymentView, ServiceStatus } from "#protocol/api/deployment.ts";
import type { Engine, PlannedService } from "../engines/engine.ts";
import type { Service } from "../services/service.ts";
import type { Deployment } from "./deployment.ts";
import type { Deployments, Seen } from "./deployments.ts";
import { patienceMs } from "./watch.ts";

export interface ViewParts {
	readonly deployments: Deployments;
	readonly catalogue: readonly Service[];
	readonly engine: Pick<Engine, "signIn">;
	readonly now: () => number;
	/** The job at work on a deployment, or the last one. */
	jobOf(deployment: string): { id: string; busy: boolean } | undefined;
	/** The migration at work on a deployment, or the last one, and where that led or came from once it is through. */
	migrationOf(deployment: string): { id: string; moved: View["moved"] } | undefined;
}

type View = z.infer<typeof DeploymentView>;

/** A deployment as the panel shows it. */
export function viewOf(parts: ViewParts, deployment: Deployment): View {
	const seen = parts.deployments.sightings(deployment.id);
	const job = parts.jobOf(deployment.id);
	const migration = parts.migrationOf(deployment.id);
	return {
		id: deployment.id,
		domain: deployment.domain,
		unicode: domainToUnicode(deployment.domain),
		state: deployment.state,
		services: deployment.plan.services.map((service) => statusOf(parts, deployment, service, seen)),
		job: job?.id ?? null,
		busy: job?.busy ?? false,
		createdAt: moment(deployment.createdAt),
		keptUntil: deployment.keptUntil === null ? null : moment(deployment.keptUntil),
		migration: migration?.id ?? null,
		moved: migration?.moved ?? null,
		unwellSince: deployment.state === "serving" ? unwellSince(seen, parts.now()) : null,
		signIn: deployment.state === "serving" ? parts.engine.signIn(deployment.plan) : null,
	};
}

/** The same patience as before its customer is told. */
function unwellSince(sightings: readonly Seen[], now: number): string | null {
	const ill = sightings.filter(({ health, since }) => health !== "well" && now - since >= patienceMs);
	return ill.length === 0 ? null : moment(Math.min(...ill.map(({ since }) => since)));
}

function statusOf(
	{ catalogue, deployments }: ViewParts,
	deployment: Deployment,
	planned: PlannedService,
	sightings: readonly Seen[],
): z.infer<typeof ServiceStatus> {
	const service = catalogue.find(({ name }) => name === planned.name);
	const seen = sightings.find(({ service }) => service === planned.name);
	const shown = deployments.isShown(deployment.id, planned.name);
	const host = new URL(planned.origin).host;
	return {
		name: planned.name,
		title: service?.title ?? planned.name,
		address: planned.origin,
		handle: service?.account === "handle" ? `@${planned.owner.username}@${host}` : null,
		health: healthOf(deployment, seen),
		probes: seen ? [...seen.probes] : [],
		checkedAt: seen ? moment(seen.at) : null,
		sizeBytes: seen?.sizeBytes ?? null,
		credentials: service?.account === "none" ? "none" : shown ? "shown" : "unseen",
	};
}

/** What was seen counts only while the deployment serves; otherwise its state says it all. */
function healthOf({ state }: Deployment, seen: Seen | undefined): z.infer<typeof ServiceStatus>["health"] {
	if (state === "starting" || state === "arriving" || state === "restoring") return "starting";
	if (state === "serving" || state === "removing") return seen?.health ?? "unknown";
	return "stopped";
}

const moment = (at: number) => new Date(at).toISOString();
