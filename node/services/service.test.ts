import { expect, test } from "vitest";
import { serviceNamed } from "./catalogue.ts";
import { signInName } from "./service.ts";

test.each([
	["snac", "alice"],
	["wiki", "alice"],
	["gotosocial", "alice@mail.example"],
	["mastodon", "alice@mail.example"],
	["prosody", "alice@chat.choir.example"],
	["unheard-of", "alice"],
])("what is typed to sign in to %s: %s", (service, name) => {
	const owner = { username: "alice", email: "alice@mail.example" };
	expect(signInName(serviceNamed(service), { owner, hosts: ["chat.choir.example"] })).toBe(name);
});
