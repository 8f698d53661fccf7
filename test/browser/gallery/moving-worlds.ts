/** Worlds in which something moves. */
import { Problem } from "#protocol/problem.ts";
import { type Answers, never, type World } from "./answers.ts";
import { arriving, choir, gone, longName } from "./deployments.ts";
import {
	type Migration,
	migrations,
	moveIn,
	moveIns,
	moves,
	type Plan,
	plan,
	provider,
	providers,
	refused,
	token,
	words,
} from "./migrations.ts";
import { ago, ahead, minutes } from "./moments.ts";
import { notice } from "./notices.ts";
import { anna, entitlement, page } from "./people.ts";
import { unpointed } from "./records.ts";

/** What every customer's node says of moving, unless a world says otherwise. */
export const moving: Answers = {
	"GET /move-ins": page([]),
	"POST /move-ins": ({ body }) => ({
		...moveIn("m9", "waiting", { domain: (body as { domain?: string }).domain ?? null }),
		token,
		expiresAt: ahead(60 * minutes),
	}),
	"POST /move-ins/{id}/agree": moveIns.agreed,
	"POST /move-ins/{id}/refuse": moveIn("m9", "refused"),
	"DELETE /move-ins/{id}": undefined,
	"GET /providers": { items: providers },
	"POST /deployments/{id}/move-plan": plan,
	"POST /deployments/{id}/move": new Problem("wrong-credentials"),
	"GET /migrations/{id}": migrations.copying,
	"POST /migrations/{id}/thaw": migrations.resting(),
	"GET /migrations/{id}/receipt": { receipt: [] },
};

const longDomain = longName.domain;
const longPlan: Plan = {
	...plan,
	to: {
		origin: `https://${"cooperative-".repeat(4)}hosting.example`,
		provider: "Cooperative for Hosting and Everything Else in the Valleys of the Upper North-Western Coast",
		customer: "Association of the Friends of Old Steam Engines in the Valleys",
		place: "Machines in Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch, under Welsh law",
		terms: "https://cooperative.example/terms/of/everything/that/can/be/said/about/it",
	},
	words: ["extraordinary", "thunderstorm", "constellation", "neighbourhood", "hummingbird", "rhododendron"],
};

/** One notice of each kind that a move may bring. */
function told() {
	const params = { domain: "choir.localhost", provider: "South", date: "2026-12-22", reason: "South does not answer" };
	const kinds = ["move-asked", "leave-done", "leave-undone", "leave-stuck", "arrive-done", "arrive-undone"];
	return [...kinds, "arrive-stuck", "move-erased", "records-needed"].map((kind, n) =>
		notice(`g${n}`, ago((n + 1) * 9 * minutes), kind, params, n > 2, "/d/choir.localhost"),
	);
}

const german = { ...anna, language: "de" as const };

type Make = (answers?: Answers) => World;

export const movingWorlds = (world: Make) => {
	const serves: Answers = { "GET /deployments": page([choir]), "GET /deployments/{id}": choir };
	const story = (state: keyof typeof moves, told: keyof typeof migrations = state): World =>
		world({
			"GET /jobs/{id}": moves[state],
			"GET /deployments/{id}": { ...choir, migration: "g1", busy: true },
			"GET /migrations/{id}": migrations[told],
		});
	const moveIns_ = (first: (typeof moveIns)["asked"]) => world({ "GET /move-ins": page([first, ...moveIns.earlier]) });
	return {
		"move-in": world({ "GET /move-ins": page(moveIns.earlier) }),
		"move-in-vouchers": world({ "GET /me/entitlements": page([entitlement("e2", null), entitlement("e3", null, [])]) }),
		"move-in-asked": moveIns_(moveIns.asked),
		"move-in-agreed": moveIns_(moveIns.agreed),
		"move-in-moving": moveIns_(moveIns.moving),
		"move-in-failing": world({
			"GET /move-ins": new Problem("too-many", { seconds: 30 }),
			"POST /move-ins": new Problem("voucher-needed"),
		}),
		"move-in-taken": world({ "POST /move-ins": new Problem("domain-taken", { domain: "choir.example" }) }),
		"move-in-long": moveIns_({
			...moveIns.asked,
			from: longPlan.to,
			offer: { domain: longDomain, services: ["snac", "wiki", "gotosocial", "galene"], bytes: 18_200_000_000 },
			words: longPlan.words,
		}),
		move: world(serves),
		"move-alone": world({ ...serves, "GET /providers": { items: [] }, "POST /deployments/{id}/move-plan": never }),
		"move-token-old": world({ ...serves, "POST /deployments/{id}/move-plan": new Problem("token-expired") }),
		"move-refused": world({ ...serves, "POST /deployments/{id}/move-plan": refused }),
		"move-slow": world({ ...serves, "GET /providers": never }),
		"move-failing": world({ ...serves, "GET /providers": new Problem("too-many", { seconds: 30 }) }),
		"move-gone": world({ "GET /deployments": page([gone]), "GET /deployments/{id}": gone }),
		"move-long": world({
			"GET /deployments": page([longName]),
			"GET /deployments/{id}": longName,
			"GET /providers": {
				items: [
					provider("South", { name: longPlan.to.provider, origin: longPlan.to.origin, place: longPlan.to.place }),
					...providers,
				],
			},
			"POST /deployments/{id}/move-plan": longPlan,
		}),
		"move-arriving": world({ "GET /deployments": page([arriving]), "GET /deployments/{id}": arriving }),
		"notices-moving": world({ "GET /notices": page(told()) }),
		"leave-agreeing": story("agreeing"),
		"leave-copying": story("copying"),
		"leave-resting": story("resting"),
		"leave-late": story("resting", "late"),
		"leave-handing": story("handing"),
		"leave-done": story("left"),
		"german-plan": world({ ...serves, "GET /me": german }),
		"german-left": { answers: { ...story("left").answers, "GET /me": german } },
		"leave-erased": story("left", "erased"),
		"leave-undone": story("calledOff"),
		"leave-stuck": story("stuck"),
		"leave-unknown": world({ "GET /jobs/{id}": moves.copying, "GET /migrations/{id}": new Problem("not-found") }),
		"arrive-copying": story("arriving"),
		"arrive-records": {
			answers: { ...story("records").answers, "GET /domains/{domain}/records": unpointed },
		},
		"arrive-done": story("arrived"),
	} satisfies Record<string, World>;
};

export type { Migration };
export { words };
