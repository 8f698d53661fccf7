/** Every world of the gallery by name: a node in one condition. */
import { Problem } from "#protocol/problem.ts";
import { type Answers, never, type World } from "./answers.ts";
import { cards, north } from "./catalogue.ts";
import { ailing, choir, history, kept, longName, many, snac, starting, unwell, wiki } from "./deployments.ts";
import { jobs, logLines } from "./jobs.ts";
import { moving, movingWorlds } from "./moving-worlds.ts";
import { notices } from "./notices.ts";
import { account, anna, entitlement, page } from "./people.ts";
import { providerWorlds } from "./provider.ts";
import { managed, pointed, unmanaged, unpointed } from "./records.ts";

const signedOut = new Problem("not-signed-in");

const visitor: Answers = {
	"GET /provider": north,
	"GET /services": { items: cards },
	"GET /me": signedOut,
	"POST /sign-in": new Problem("wrong-credentials"),
	"POST /sign-up": new Problem("voucher-spent"),
};

const customer: Answers = {
	...visitor,
	...account,
	"GET /me": anna,
	"POST /sign-out": undefined,
	"GET /deployments": page([choir, starting]),
	"GET /deployments/{id}": choir,
	"GET /deployments/{id}/history": page(history),
	"POST /deployments/{id}/services/{service}/credentials": {
		username: "admin",
		password: "wren-Il1O0-harbour-candle-58",
		address: snac.address,
	},
	...moving,
	"GET /domains": page([]),
	"POST /domains": managed,
	"GET /domains/{domain}/records": pointed,
	"GET /jobs/{id}": jobs.running,
	"GET /jobs/{id}/log": ({ query }) => ({ lines: logLines.filter(({ seq }) => seq > Number(query.get("after"))) }),
	"GET /notices": page(notices),
	"POST /notices/read": undefined,
	"POST /me/notice-settings/test": undefined,
	"POST /me/password": undefined,
};

const empty: Answers = {
	"GET /deployments": page([]),
	"GET /notices": page([]),
	"GET /me/entitlements": page([]),
	"GET /me/tokens": page([]),
	"GET /me/ssh-keys": page([]),
	"GET /notices/deliveries": page([]),
	"GET /deployments/{id}/history": page([]),
};

const broken = new Problem("too-many", { seconds: 30 });
const failing: Answers = {
	"GET /deployments": broken,
	"GET /me/entitlements": broken,
	"GET /jobs/{id}": new Problem("not-found"),
	"GET /me/sessions": broken,
	"GET /me/tokens": broken,
	"GET /me/ssh-keys": broken,
	"GET /me/notice-settings": broken,
	"GET /notices/deliveries": broken,
};

const slow: Answers = {
	"GET /deployments": never,
	"GET /me/entitlements": never,
	"GET /jobs/{id}": never,
};

const world = (answers: Answers = {}): World => ({ answers: { ...customer, ...answers } });
const jobWorld = (state: keyof typeof jobs, more: Answers = {}) => world({ "GET /jobs/{id}": jobs[state], ...more });

export const worlds = {
	visitor: { answers: visitor },
	"visitor-plain": {
		answers: {
			...visitor,
			"GET /provider": { ...north, accent: "#ffd500", place: "", zones: [], terms: null, help: null },
		},
	},
	customer: world(),
	empty: world(empty),
	slow: world(slow),
	failing: world(failing),
	many: world({ "GET /deployments": page(many) }),
	long: world({
		"GET /deployments": page([longName]),
		"GET /deployments/{id}": longName,
		"GET /domains/{domain}/records": unpointed,
	}),
	unwell: world({
		"GET /deployments": page([{ ...ailing, services: [unwell, wiki] }]),
		"GET /deployments/{id}": { ...ailing, services: [unwell, wiki] },
	}),
	kept: world({ "GET /deployments": page([choir, kept]), "GET /deployments/{id}": kept }),
	unmanaged: world({ "POST /domains": unmanaged, "GET /domains/{domain}/records": unpointed }),
	taken: world({ "POST /domains": new Problem("domain-elsewhere", { domain: "choir.example", holder: "South" }) }),
	known: world({
		"GET /domains": page([unmanaged]),
		"GET /me/entitlements": page([entitlement("e2", null, ["snac"])]),
	}),
	"job-waiting": jobWorld("waiting"),
	"job-running": jobWorld("running"),
	"job-late": jobWorld("late"),
	"job-retrying": jobWorld("retrying"),
	"job-dns": jobWorld("dns", { "GET /domains/{domain}/records": unpointed }),
	"job-cancelling": jobWorld("cancelling"),
	"job-done": jobWorld("done"),
	"job-undone": jobWorld("undone"),
	"job-unfinished": jobWorld("unfinished"),
	"job-stuck": jobWorld("stuck"),
	"job-removed": jobWorld("removed"),
	"job-lost": {
		answers: { ...customer, "GET /jobs/{id}": jobs.running },
		streams: { "GET /jobs/{id}/events": async () => {} },
	},
	...movingWorlds(world),
	...providerWorlds(world),
	german: world({ "GET /me": { ...anna, language: "de" } }),
	down: { answers: {}, dead: true },
} satisfies Record<string, World>;

export type WorldName = keyof typeof worlds;
