import { expect, test } from "vitest";
import { confirm, type Terminal } from "./terminal.ts";

function terminal(typed: string | undefined) {
	const shown: string[] = [];
	const fake: Terminal = {
		out: () => {},
		err: (text) => shown.push(text),
		ask: async (question) => {
			shown.push(question);
			return typed;
		},
		environment: {},
		colour: false,
	};
	return { fake, shown };
}

test("goes on when the person types just what was asked for", async () => {
	const { fake, shown } = terminal(" choir.example ");
	await confirm(fake, false, "It goes.\n", "choir.example");
	expect(shown).toEqual(["It goes.\n", "Type choir.example to go on: "]);
});

test("stops at anything else, and when nobody is there", async () => {
	await expect(confirm(terminal("yes").fake, false, "", "choir.example")).rejects.toThrow("nothing was changed");
	await expect(confirm(terminal(undefined).fake, false, "", "choir.example")).rejects.toMatchObject({ code: 2 });
});

test("asks nobody who said yes before", async () => {
	const { fake, shown } = terminal(undefined);
	await confirm(fake, true, "It goes.\n", "choir.example");
	expect(shown).toEqual([]);
});
