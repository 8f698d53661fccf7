/** Two nodes with a memory, as far as a move goes: the old provider North and the new one South. */
import { Problem } from "#protocol/problem.ts";
import type { Asked, World } from "./answers.ts";
import { choir } from "./deployments.ts";
import { type MoveIn, migrations, moveIn, moveIns, moves, plan, provider, token } from "./migrations.ts";
import { ago, ahead, minutes, seconds } from "./moments.ts";
import { anna, page } from "./people.ts";
import { worlds } from "./worlds.ts";

export interface MovingStory {
	readonly north: World;
	readonly south: World;
	/** Where South is found. */
	southAt: string;
	southSignedIn: boolean;
	/** How far North says that the move is. */
	state: "agreeing" | "resting" | "left";
	/** What was asked for, in order: of whom, what, with what. */
	readonly asked: [node: string, operation: string, body: unknown][];
	/** North offers its deployment to South. */
	offer(): void;
	/** The move begins. */
	begin(): void;
}

export function openMovingStory(): MovingStory {
	let made: MoveIn | undefined;
	const began = ago(2 * seconds);
	const north = { ...moveIns.asked.from, provider: "North" } as NonNullable<MoveIn["from"]>;
	const become = (change: Partial<MoveIn>) => {
		if (made) made = { ...made, ...change };
	};
	const noted = <Value>(node: string, operation: string, give: (asked: Asked) => Value) => {
		return (asked: Asked): Value => {
			story.asked.push([node, operation, asked.body]);
			return give(asked);
		};
	};
	const story: MovingStory = {
		southAt: "",
		southSignedIn: false,
		state: "agreeing",
		asked: [],
		offer: () => become({ ...moveIns.asked, id: "m1", from: north }),
		begin: () => become({ state: "moving", deployment: "d1", job: "j2" }),
		north: {
			answers: {
				...worlds.customer.answers,
				"GET /deployments": page([choir]),
				"GET /deployments/{id}": () => ({ ...choir, migration: "g1" }),
				"GET /providers": () => ({ items: [provider("South", { origin: story.southAt })] }),
				"POST /deployments/{id}/move-plan": noted("north", "POST /deployments/{id}/move-plan", () => plan),
				"POST /deployments/{id}/move": noted("north", "POST /deployments/{id}/move", () => ({
					deployment: "d1",
					job: "j2",
				})),
				"GET /jobs/{id}": () => moves[story.state](),
				"GET /migrations/{id}": () =>
					story.state === "resting" ? { ...migrations.resting(), frozenAt: began } : migrations[story.state](),
				"GET /migrations/{id}/receipt": { receipt: [1, 2, 3] },
			},
		},
		south: {
			answers: {
				...worlds.customer.answers,
				"GET /me": () => (story.southSignedIn ? anna : new Problem("not-signed-in")),
				"POST /sign-in": () => {
					story.southSignedIn = true;
					return anna;
				},
				"GET /move-ins": () => page(made ? [made] : []),
				"POST /move-ins": noted("south", "POST /move-ins", ({ body }) => {
					const { domain = null } = body as { domain?: string };
					made = moveIn("m1", "waiting", { domain, expiresAt: ahead(60 * minutes) });
					return { ...made, token };
				}),
				"POST /move-ins/{id}/agree": () => {
					become({ state: "agreed" });
					return made ?? new Problem("not-found");
				},
				"DELETE /move-ins/{id}": () => {
					become({ state: "revoked" });
					return undefined;
				},
				"GET /jobs/{id}": moves.arriving,
				"GET /migrations/{id}": migrations.arriving,
			},
		},
	};
	return story;
}
