/** Every picture of the gallery: a page of a world, and what somebody did there. */
import type { Page } from "playwright-core";
import { longName } from "./deployments.ts";
import { movingScenes } from "./moving-scenes.ts";
import { providerScenes } from "./provider.ts";
import type { WorldName } from "./worlds.ts";

export interface Scene {
	name: string;
	world: WorldName;
	path: string;
	/** What is done before the picture is taken. */
	act?: (page: Page) => Promise<void>;
	/** What must be there for the picture to be of it. */
	shows: string;
}

const press = (name: string | RegExp) => (page: Page) => page.getByRole("button", { name }).first().click();

async function picked(page: Page, domain: string): Promise<void> {
	await page.getByLabel("Your domain").fill(domain);
	await page.getByRole("button", { name: "Go on" }).click();
	await page.getByRole("checkbox", { name: "snac" }).check();
	await page.getByRole("checkbox", { name: "Federated Wiki" }).check();
}

async function checked(page: Page, domain: string): Promise<void> {
	await picked(page, domain);
	await page.getByRole("button", { name: "Go on" }).click();
}

const job = (world: WorldName, shows: string, act?: Scene["act"]): Scene => ({
	name: world,
	world,
	path: "/d/choir.localhost/jobs/j2",
	shows,
	...(act && { act }),
});

export const scenes: Scene[] = [
	{ name: "front", world: "visitor", path: "/", shows: "What you can run here" },
	{ name: "front-plain-yellow", world: "visitor-plain", path: "/", shows: "What you can run here" },
	{ name: "front-customer", world: "customer", path: "/", shows: "To your deployments" },
	{ name: "sign-in", world: "visitor", path: "/sign-in", shows: "Have a voucher?" },
	{
		name: "sign-in-wrong",
		world: "visitor",
		path: "/home",
		shows: "E-mail or password is wrong",
		act: async (page) => {
			await page.getByLabel("E-mail").fill("anna@choir.example");
			await page.getByLabel("Password", { exact: true }).fill("wrong");
			await page.locator("form").getByRole("button", { name: "Sign in" }).click();
		},
	},
	{ name: "sign-up", world: "visitor", path: "/sign-up", shows: "Open the account" },
	{
		name: "sign-up-empty",
		world: "visitor",
		path: "/sign-up",
		shows: "Please fill this in",
		act: press("Open the account"),
	},
	{
		name: "sign-up-spent",
		world: "visitor",
		path: "/sign-up",
		shows: "already been used",
		act: async (page) => {
			await page.getByLabel("Voucher").fill("NORTH-7Q2P-VJ0X");
			await page.getByLabel("Your name").fill("Anna Lind");
			await page.getByLabel("E-mail").fill("anna@choir.example");
			await page.getByLabel("Password", { exact: true }).fill("a candle in the harbour");
			await press("Open the account")(page);
		},
	},
	{ name: "home", world: "customer", path: "/home", shows: "school.localhost" },
	{ name: "home-empty", world: "empty", path: "/home", shows: "Nothing runs here yet" },
	{ name: "home-slow", world: "slow", path: "/home", shows: "Loading" },
	{ name: "home-failing", world: "failing", path: "/home", shows: "Try again" },
	{ name: "home-many", world: "many", path: "/home", shows: "class-24.school.example" },
	{ name: "home-long", world: "long", path: "/home", shows: "münchen" },
	{ name: "home-unwell", world: "unwell", path: "/home", shows: "needs a look" },
	{ name: "home-kept", world: "kept", path: "/home", shows: "Removed, still kept" },
	{ name: "new-domain", world: "customer", path: "/new", shows: "This name is for good." },
	{ name: "new-no-voucher", world: "empty", path: "/new", shows: "You have no unused voucher" },
	{ name: "new-known", world: "known", path: "/new", shows: "Added before" },
	{
		name: "new-domain-taken",
		world: "taken",
		path: "/new",
		shows: "is already served by South",
		act: async (page) => {
			await page.getByLabel("Your domain").fill("choir.example");
			await press("Go on")(page);
		},
	},
	{
		name: "new-services",
		world: "customer",
		path: "/new",
		shows: "Galene",
		act: (page) => picked(page, "choir.localhost"),
	},
	{
		name: "new-services-clash",
		world: "customer",
		path: "/new",
		shows: "keep one of them",
		act: async (page) => {
			await picked(page, "choir.localhost");
			await page.getByRole("checkbox", { name: "GoToSocial" }).check({ force: true });
		},
	},
	{
		name: "new-check",
		world: "customer",
		path: "/new",
		shows: "What will be set up",
		act: (page) => checked(page, "choir.localhost"),
	},
	{
		name: "new-check-records",
		world: "unmanaged",
		path: "/new",
		shows: "not right yet",
		act: (page) => checked(page, "choir.example"),
	},
	{ name: "new-failing", world: "failing", path: "/new", shows: "Try again" },
	{ name: "deployment", world: "customer", path: "/d/choir.localhost", shows: "The first password of" },
	{ name: "deployment-unwell", world: "unwell", path: "/d/choir.localhost", shows: "Set up again" },
	{ name: "deployment-kept", world: "kept", path: "/d/parish.example", shows: "Bring it back" },
	{ name: "deployment-long", world: "long", path: `/d/${encodeURIComponent(longName.domain)}`, shows: "In the DNS" },
	{ name: "deployment-absent", world: "customer", path: "/d/nobody.example", shows: "There is nothing here" },
	{
		name: "deployment-sure",
		world: "customer",
		path: "/d/choir.localhost",
		shows: "is shown once",
		act: press(/Show the first password/),
	},
	{
		name: "deployment-password",
		world: "customer",
		path: "/d/choir.localhost",
		shows: "I have kept it",
		act: async (page) => {
			await press(/Show the first password/)(page);
			await press("Show it now")(page);
		},
	},
	{
		name: "deployment-remove",
		world: "customer",
		path: "/d/choir.localhost",
		shows: "exactly as it stands",
		act: async (page) => {
			await press("Remove choir.localhost …")(page);
			await press("Remove choir.localhost")(page);
		},
	},
	job("job-waiting", "Begins as soon as there is room"),
	job("job-running", "49 of 84 MB"),
	job("job-late", "Takes longer than usual"),
	job("job-retrying", "the next one in"),
	job("job-dns", "found: 198.51.100.4"),
	job("job-cancelling", "being undone"),
	job("job-done", "choir.localhost is ready", async (page) => {
		await page.getByText("Details: the raw log").click();
		await page.getByText("is in the cache already").waitFor();
	}),
	job("job-undone", "Begin anew"),
	job("job-unfinished", "what the services hold is as it was"),
	job("job-stuck", "does not go on by itself"),
	job("job-removed", "Go on"),
	job("job-lost", "reconnecting"),
	{ ...job("failing", "There is nothing here"), name: "job-absent" },
	{ name: "notices", world: "customer", path: "/notices", shows: "Federated Wiki under choir.localhost" },
	{ name: "notices-empty", world: "empty", path: "/notices", shows: "Nothing to tell yet" },
	{ name: "account", world: "customer", path: "/account", shows: "SHA256:" },
	{ name: "account-empty", world: "empty", path: "/account", shows: "Nothing has been sent yet" },
	{ name: "account-failing", world: "failing", path: "/account", shows: "Try again" },
	{
		name: "account-token",
		world: "customer",
		path: "/account",
		shows: "fnt_",
		act: async (page) => {
			await page.getByText("Make a token").click();
			await page.getByLabel("What is it for?").fill("Status page");
			await press("Make the token")(page);
		},
	},
	{
		name: "account-webhook",
		world: "customer",
		path: "/account",
		shows: "whsec_",
		act: async (page) => {
			await page.getByLabel("Webhook").fill("https://choir.example/hook");
			await page.locator("account-notice-settings").getByRole("button", { name: "Save" }).click();
		},
	},
	{
		name: "account-tested",
		world: "customer",
		path: "/account",
		shows: "A test is on its way",
		act: press("Send a test"),
	},
	...movingScenes,
	...providerScenes,
	{ name: "nowhere", world: "visitor", path: "/nowhere", shows: "No such page" },
	{ name: "down", world: "down", path: "/home", shows: "The panel cannot start" },
	{ name: "german-front", world: "german", path: "/", shows: "Deutsch" },
	{ name: "german-home", world: "german", path: "/home", shows: "Deutsch" },
	{ name: "german-new", world: "german", path: "/new", shows: "Deutsch" },
	{ name: "german-deployment", world: "german", path: "/d/choir.localhost", shows: "Deutsch" },
	{ name: "german-job", world: "german", path: "/d/choir.localhost/jobs/j2", shows: "49 von 84 MB" },
	{ name: "german-account", world: "german", path: "/account", shows: "Deutsch" },
];
