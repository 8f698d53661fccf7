// Makes the first account of a PeerTube through its API, as the account `root`, or gives it the password anew. Argument: a JSON file
// {server, username, email}; the password lies in $CREDENTIALS_DIRECTORY/password, root's comes as PT_INITIAL_ROOT_PASSWORD.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const administrator = 0;
const { server, username, email } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const password = readFileSync(join(process.env.CREDENTIALS_DIRECTORY, "password"), "utf8").trimEnd();

const authorization = `Bearer ${await signIn()}`;
const account = await find();
if (!account) {
	const quota = { videoQuota: -1, videoQuotaDaily: -1 };
	await ask("POST", "users", { username, email, password, role: administrator, ...quota });
} else if (process.env.KNOWN === "changed") await ask("PUT", `users/${account.id}`, { password });

async function signIn() {
	const client = await answer(await fetch(`${server}/api/v1/oauth-clients/local`));
	const root = { username: "root", password: process.env.PT_INITIAL_ROOT_PASSWORD };
	const body = new URLSearchParams({ ...client, grant_type: "password", response_type: "code", ...root });
	return (await answer(await fetch(`${server}/api/v1/users/token`, { method: "POST", body }))).access_token;
}

async function find() {
	const { data } = await ask("GET", `users?search=${encodeURIComponent(username)}`);
	return data.find((user) => user.username === username);
}

async function ask(method, path, body) {
	const headers = { authorization, "content-type": "application/json" };
	return answer(await fetch(`${server}/api/v1/${path}`, { method, headers, body: body && JSON.stringify(body) }));
}

async function answer(response) {
	const text = await response.text();
	if (!response.ok)
		throw new Error(`${new URL(response.url).pathname} answered ${response.status}: ${text.slice(0, 300)}`);
	return text === "" ? null : JSON.parse(text);
}
