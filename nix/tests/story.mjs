// A customer of two providers, through their panels' API. Arguments: the client's file, then the work: `deploy` (ORIGIN VOUCHER DOMAIN
// SERVICES…) or `move` (FROM TO VOUCHER DOMAIN). Test equipment for two-providers.nix.
const [clientFile, work, ...words] = process.argv.slice(2);
const { client } = await import(clientFile);
const password = "ada has a long password";
const works = { deploy, move };
await works[work](...words);

async function deploy(origin, voucher, domain, ...services) {
	const ada = person(origin);
	await ada("POST /sign-up", { body: { voucher, email: "ada@choir.example", password, name: "Ada" } });
	const { job } = await ada("POST /deployments", { body: { domain, services, username: "ada" } });
	await done(ada, job);
}

async function move(from, to, voucher, domain) {
	const there = person(to);
	await there("POST /sign-up", { body: { voucher, email: "ada@choir.example", password, name: "Ada" } });
	const here = person(from);
	await here("POST /sign-in", { body: { email: "ada@choir.example", password } });
	const { items } = await here("GET /deployments");
	const path = { id: items.find((one) => one.domain === domain).id };
	const { id, token } = await there("POST /move-ins", { body: { domain } });
	const { problems } = await here("POST /deployments/{id}/move-plan", { path, body: { token } });
	if (problems.length > 0) throw new Error(problems[0].detail);
	const { job } = await here("POST /deployments/{id}/move", { path, body: { token, domain, password } });
	await done(here, job);
	await done(there, (await there("GET /move-ins/{id}", { path: { id } })).job);
}

/** Somebody at a browser, with its cookie. */
function person(origin) {
	let cookie = "";
	const send = async (input, init = {}) => {
		const response = await fetch(input, { ...init, headers: { ...init.headers, origin, cookie } });
		cookie = response.headers.get("set-cookie")?.split(";")[0] ?? cookie;
		return response;
	};
	return client(send, `${origin}/api/v1`);
}

async function done(person, job) {
	for (;;) {
		const { state, steps } = await person("GET /jobs/{id}", { path: { id: job } });
		if (state === "done") return;
		if (state === "undone" || state === "stuck")
			throw new Error(JSON.stringify(steps.filter(({ problem }) => problem)));
		await new Promise((resolve) => setTimeout(resolve, 1000));
	}
}
