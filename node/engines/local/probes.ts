import type { Home, Probe } from "./recipe.ts";

/** Its page opens: status 200 and some of the text that only this program would write. */
export function page(path: string, says: string): Probe {
	return {
		what: "page",
		async look(ask) {
			const { status, body } = await ask(path);
			if (status !== 200) throw new Error(`answered ${status}`);
			if (!body.includes(says)) throw new Error("answered with another page");
			return "opens";
		},
	};
}

/** NodeInfo, where Fediverse servers say what they are (https://nodeinfo.diaspora.software). */
export function nodeinfo(path: string, software: string): Probe {
	return {
		what: "api",
		async look(ask) {
			const { status, body } = await ask(path);
			if (status !== 200) throw new Error(`answered ${status}`);
			const { software: found } = JSON.parse(body) as { software?: { name?: string; version?: string } };
			if (found?.name !== software) throw new Error(`says it is ${found?.name}`);
			return `${software} ${found.version ?? ""}`.trim();
		},
	};
}

/** Other servers find the first account (RFC 7033). */
export function webfinger({ origin, owner }: Pick<Home, "origin" | "owner">): Probe {
	const account = `acct:${owner.username}@${new URL(origin).host}`;
	return {
		what: "account",
		async look(ask) {
			const { status, body } = await ask(`/.well-known/webfinger?resource=${encodeURIComponent(account)}`);
			if (status !== 200) throw new Error(`answered ${status}`);
			const { subject, links = [] } = JSON.parse(body) as {
				subject?: string;
				links?: { rel?: string; href?: string }[];
			};
			if (subject !== account) throw new Error(`answered for ${subject}`);
			const self = links.find(({ rel }) => rel === "self")?.href;
			if (!self?.startsWith(`${origin}/`)) throw new Error(`the account lies at ${self}`);
			return `@${account.slice("acct:".length)}`;
		},
	};
}
