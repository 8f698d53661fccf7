/** Pictures of moving, at the old and at the new provider. */
import type { Page } from "playwright-core";
import { longName } from "./deployments.ts";
import { token } from "./migrations.ts";
import type { Scene } from "./scenes.ts";
import type { WorldName } from "./worlds.ts";

const move = "/d/choir.localhost/move";
const errand = `/move-in?${new URLSearchParams({ domain: "choir.example", back: "https://south.example/d/choir.example/move" })}`;
const pasted = `#${new URLSearchParams({ token })}`;

const press = (name: string | RegExp) => (page: Page) => page.getByRole("button", { name }).first().click();

const story = (world: WorldName, shows: string, act?: Scene["act"]): Scene => ({
	name: world,
	world,
	path: "/d/choir.localhost/jobs/j2",
	shows,
	...(act && { act }),
});

export const movingScenes: Scene[] = [
	{ name: "move-in", world: "move-in", path: "/move-in", shows: "Earlier tokens" },
	{ name: "move-in-first", world: "customer", path: "/move-in", shows: "Make a token" },
	{ name: "move-in-no-voucher", world: "empty", path: "/move-in", shows: "One is needed to move in" },
	{ name: "move-in-vouchers", world: "move-in-vouchers", path: "/move-in", shows: "all services" },
	{ name: "move-in-made", world: "move-in", path: "/move-in", shows: "Good for another", act: press("Make a token") },
	{ name: "move-in-errand", world: "customer", path: errand, shows: "asks to move choir.example here" },
	{ name: "move-in-asked", world: "move-in-asked", path: "/move-in", shows: "Compare them" },
	{ name: "move-in-agreed", world: "move-in-agreed", path: "/move-in", shows: "You agreed" },
	{ name: "move-in-moving", world: "move-in-moving", path: "/move-in", shows: "Watch it" },
	{ name: "move-in-long", world: "move-in-long", path: "/move-in", shows: "extraordinary" },
	{ name: "move-in-slow", world: "slow", path: "/move-in", shows: "Loading" },
	{ name: "move-in-failing", world: "move-in-failing", path: "/move-in", shows: "Try again" },
	{
		name: "move-in-refused",
		world: "move-in-failing",
		path: "/move-in",
		shows: "no unused voucher",
		act: press("Make a token"),
	},
	{
		name: "move-in-taken",
		world: "move-in-taken",
		path: "/move-in",
		shows: "already has services here",
		act: async (page) => {
			await page.getByLabel("Which domain?").fill("choir.example");
			await press("Make a token")(page);
		},
	},
	{ name: "move", world: "move", path: move, shows: "can take it" },
	{ name: "move-alone", world: "move-alone", path: move, shows: "knows no other provider" },
	{ name: "move-asking", world: "move-alone", path: move + pasted, shows: "Asking the new provider" },
	{ name: "move-token-old", world: "move-token-old", path: move + pasted, shows: "too old" },
	{ name: "move-slow", world: "move-slow", path: move, shows: "Loading" },
	{ name: "move-failing", world: "move-failing", path: move, shows: "Try again" },
	{ name: "move-gone", world: "move-gone", path: move, shows: "does not serve here now" },
	{ name: "move-plan", world: "move", path: move + pasted, shows: "Nothing happens until you start" },
	{ name: "move-refused", world: "move-refused", path: move + pasted, shows: "It cannot begin yet" },
	{
		name: "move-long",
		world: "move-long",
		path: `/d/${encodeURIComponent(longName.domain)}/move`,
		shows: "Upper North",
	},
	{
		name: "move-long-plan",
		world: "move-long",
		path: `/d/${encodeURIComponent(longName.domain)}/move${pasted}`,
		shows: "rhododendron",
	},
	{
		name: "move-wrong",
		world: "move",
		path: move + pasted,
		shows: "This is not your password",
		act: async (page) => {
			await page.getByLabel("Your password", { exact: true }).fill("not this one");
			await page.getByLabel("Type choir.localhost to confirm").fill("choir.localhost");
			await press("Move choir.localhost to South")(page);
		},
	},
	{ name: "notices-moving", world: "notices-moving", path: "/notices", shows: "is stuck and needs you" },
	{ name: "home-moved", world: "move-gone", path: "/home", shows: "Now at South" },
	{ name: "home-arriving", world: "move-arriving", path: "/home", shows: "moving in" },
	{ name: "deployment-moved", world: "move-gone", path: "/d/choir.localhost", shows: "Move it back" },
	{ name: "deployment-arriving", world: "move-arriving", path: "/d/choir.localhost", shows: "Watch it" },
	story("leave-agreeing", "must show the same six"),
	story("leave-copying", "12 MB/s"),
	story("leave-resting", "The services rest"),
	story("leave-late", "at the latest"),
	{
		...story("leave-resting", "Yes, let them serve", (page) => page.getByText("Let them serve again").click()),
		name: "leave-thaw",
	},
	story("leave-handing", "Hand over"),
	story("leave-done", "What it came to", (page) => page.getByText("Copies and trial").click()),
	story("leave-erased", "1,861 requests"),
	story("leave-undone", "everything here is as it was"),
	story("leave-stuck", "does not go on by itself"),
	story("leave-unknown", "12 MB/s"),
	story("arrive-copying", "12 MB/s"),
	story("arrive-records", "found: 198.51.100.4"),
	story("arrive-done", "now runs here"),
	{ name: "german-move", world: "german", path: move, shows: "Deutsch" },
	{ name: "german-plan", world: "german-plan", path: move + pasted, shows: "Ihr Passwort" },
	{ ...story("german-left", "Quittung aufheben") },
	{ name: "german-move-in", world: "german", path: "/move-in", shows: "Deutsch", act: press("Token") },
];
