import { join } from "node:path";
import type { Content, Message } from "#protocol/migration/messages.ts";
import { Problem } from "#protocol/problem.ts";
import type { ChallengePlace } from "../certificates/certificate.ts";
import type { Certificates } from "../certificates/certificates.ts";
import type { Deployments } from "../deployments/deployments.ts";
import type { History } from "../deployments/history.ts";
import type { Domains } from "../domains/domains.ts";
import { ownershipIn, ownershipName } from "../domains/records.ts";
import type { Engine } from "../engines/engine.ts";
import { identityIn } from "../federation/identity.ts";
import { lazily } from "../lazily.ts";
import type { Notices } from "../notices/notice.ts";
import { Calls } from "../peers/calls.ts";
import { signerOf } from "../peers/keys.ts";
import { Outside } from "../peers/outside.ts";
import { looksPublic } from "../peers/public-address.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Database } from "../store/database.ts";
import type { Elsewhere } from "../volumes/volume.ts";
import { Arrivals } from "./arrivals.ts";
import { Challenges } from "./challenges.ts";
import { Courier } from "./courier.ts";
import { Departures } from "./departures.ts";
import { Echo } from "./echo.ts";
import { Forwarding } from "./forwarding.ts";
import { Past } from "./past.ts";
import type { Session } from "./session.ts";
import { Sessions } from "./sessions.ts";
import { toolsOf } from "./tools.ts";
import type { Links } from "./transcript.ts";
import { Upkeep } from "./upkeep.ts";

export interface MigrationParts {
	readonly db: Database;
	readonly vault: Vault;
	readonly engine: Engine;
	readonly domains: Domains;
	readonly deployments: Deployments;
	readonly now: () => number;
	/** The panel's. */
	readonly origin: string;
	/** Where requests for services come in that other nodes hand on. */
	readonly front: string;
	readonly provider: string;
	/** How volumes on other machines are reached. */
	readonly elsewhere?: Elsewhere;
	/** For what must lie on the same disk as the services. */
	readonly folder: string;
	/** Lets other nodes be on this machine: for the demo and tests. */
	readonly insecure: boolean;
	readonly freezeSeconds: number;
	readonly keepDays: number;
	customerName(customer: string): string;
	limits(session: Session): { bytes: number; entries: number };
	readonly notices: Notices;
	readonly history: History;
	/** Where challenges of certificate authorities can be set for a domain here; undefined: nowhere. */
	challengePlace(domain: string): ChallengePlace | undefined;
	/** Gets certificates; `required`: nobody in front of this node has any. */
	readonly certificates: Pick<Certificates, "order" | "isOn"> & { readonly required: boolean };
	/** Erases a deployment whose copy is needed no more. */
	erase(deployment: string): void;
}

const day = 86_400_000;

/** The target serves, or did when this ended. */
const overThere: ReadonlySet<string> = new Set(["done", "erased", "active", "closed"]);

export type Migrations = ReturnType<typeof openMigrations>;

/** Everything that moves deployments between this node and others. Nothing runs before `start`. */
export function openMigrations(parts: MigrationParts) {
	const { db, vault, engine, domains, deployments, now, origin, insecure, elsewhere } = parts;
	const actor = `${origin}/actor`;
	const signer = lazily(async () => signerOf(await identityIn(vault), actor));
	const outside = new Outside(insecure);
	const calls = new Calls({ outside, signer, now });
	const sessions = new Sessions({ db, now, write: (...said) => write(...said) });
	const folder = join(parts.folder, "migrations");
	const planOf = (deployment: string) => deployments.known(deployment).plan;
	const departures = new Departures({ engine, sessions, folder, planOf, elsewhere });
	const arrivals = new Arrivals({
		...{ engine, sessions, calls, vault, folder, elsewhere },
		formerPlan: (domain) => formerOf(domain)?.plan,
		limits: (migration) => parts.limits(sessions.known(migration)),
	});
	const echo = new Echo(sessions, calls);
	const challenges = new Challenges(db, sessions, (domain) => parts.challengePlace(domain));
	const past = new Past({
		...{ sessions, calls, deployments, engine, domains, actor, signer, now },
		...{ history: parts.history, notices: parts.notices },
	});
	const courier = new Courier({
		...{ sessions, calls },
		sure: (id) => past.sure(id),
		suspect: (id) => past.suspect(id),
	});
	const forwarding = new Forwarding(sessions, deployments);

	/** A message of ours as an activity, signed. Its code is loaded when first something is said. */
	async function write(session: Session, links: Links, message: Message) {
		const { signActivity } = await import("#protocol/migration/activity.ts");
		const to = session.about.peer?.actor;
		if (!to) throw new Error(`${session.id} has nobody to speak to`);
		const published = Math.floor(now() / 1000) * 1000;
		return signActivity({ sid: session.id, ...links, from: actor, to, published }, message, await signer());
	}

	function formerOf(domain: string) {
		return deployments.inState("moved").find((deployment) => deployment.domain === domain);
	}

	const tools = toolsOf({ ...parts, sessions, calls, outside, departures, arrivals, challenges, echo, formerOf });
	const upkeep = new Upkeep({ ...parts, sessions, challenges, past, outside });

	/** The target serves: from the moment this is written down, requests are handed on to it. */
	function moved(session: Session): void {
		if (session.deployment === null) return;
		const keptUntil = now() + (session.about.keepDays ?? parts.keepDays) * day;
		deployments.move(session.deployment, "moved", keptUntil);
		sessions.change(session.id, { handedAt: now() });
		queueMicrotask(() => forwarding.look());
	}

	sessions.onHear((session, { kind }) => {
		if (session.side === "source" && kind === "active") moved(session);
		if (session.side === "target" && kind === "erased") sessions.change(session.id, { erasedAt: now() });
	});
	sessions.onHear((session, message) => {
		if (session.side !== "source" || message.kind !== "accept") return;
		checkRecords(session, message.content);
		const front = new URL(message.content.front);
		// A name is looked up each time it is used, by one who takes only public addresses.
		if (!insecure && (front.protocol !== "https:" || !looksPublic(front.hostname)))
			throw new Problem("node-address", { origin: front.origin });
	});

	/** Who the other provider is, and until when a copy is kept: for notices and history. */
	function sentenceParts(deployment: string): Record<string, string> {
		const session = sessions.ofDeployment(deployment);
		const keptUntil = deployments.known(deployment).keptUntil;
		return {
			provider: session?.about.peer?.provider ?? "",
			...(keptUntil !== null && { date: new Date(keptUntil).toISOString().slice(0, 10) }),
		};
	}

	/** The migration at work on a deployment, or the last one, and where that led or came from once it is through. */
	function seen(deployment: string) {
		const session = sessions.ofDeployment(deployment);
		if (!session || session.job === null) return undefined;
		const { peer } = session.about;
		const through = overThere.has(session.talk.state);
		const moved =
			through && peer ? { to: session.side === "source", origin: peer.origin, provider: peer.provider } : null;
		return { id: session.id, moved };
	}

	return {
		...{
			seen,
			sentenceParts,
			actor,
			signer,
			outside,
			calls,
			sessions,
			departures,
			challenges,
			echo,
			past,
			forwarding,
			tools,
			upkeep,
		},
		key: async () => (await signer()).key,
		start() {
			forwarding.look();
			courier.start();
		},
		async close() {
			await courier.close();
			forwarding.flush();
			await Promise.all([departures.close(), arrivals.close(), outside.close()]);
			sessions.bell.close();
		},
	};
}

/** The other node may have records set for its own hosts of this domain, and for nothing else. */
function checkRecords({ about, domain }: Session, { records }: Content<"accept">): void {
	const hosts = new Set(about.offer?.services.flatMap((service) => service.hosts));
	const isFine = ({ type, name, value }: (typeof records)[number]) => {
		if (type !== "TXT") return hosts.has(name);
		const ownership = ownershipIn(value);
		if (name !== ownershipName(domain ?? "") || !ownership) return false;
		return ownership.actor === about.peer?.actor && ownership.epoch === (about.offer?.epoch ?? 0) + 1;
	};
	const strange = records.find((record) => !isFine(record));
	if (strange) throw new Problem("message-wrong", { kind: `record for ${strange.name}`, state: "offered" });
}
