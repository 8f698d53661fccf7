/** How a customer moves a deployment in the small world. */
import { eventually, type Person } from "./world.ts";

export interface Begun {
	/** Of the migration, the same on both sides. */
	readonly id: string;
	readonly leave: string;
	readonly arrive: string;
	readonly words: readonly string[];
}

export const passwordOf = (name: string) => `${name} has a long password`;

/** Makes a token there, pastes it here, and waits until both sides are at work. `told` hears of the migration's id first. */
export async function beginMove(
	from: Person,
	to: Person,
	domain: string,
	password: string,
	told: (id: string) => void = () => {},
): Promise<Begun> {
	const deployment = await eventually("it serves", async () => {
		const { items } = await from.api("GET /deployments");
		return items.find((one) => one.domain === domain && one.state === "serving" && !one.busy);
	});
	const { id, token } = await to.api("POST /move-ins", { body: { domain } });
	told(id);
	const path = { id: deployment.id };
	const plan = await from.api("POST /deployments/{id}/move-plan", { path, body: { token } });
	const [problem] = plan.problems;
	if (problem) throw new Error(`It cannot move: ${problem.detail}`);
	const { job } = await from.api("POST /deployments/{id}/move", { path, body: { token, domain, password } });
	const moveIn = await eventually("the deployment moves in", async () => {
		const seen = await to.api("GET /move-ins/{id}", { path: { id } });
		return seen.job === null ? undefined : seen;
	});
	if (moveIn.words?.join() !== plan.words.join()) throw new Error("The two panels show other words");
	return { id, leave: job, arrive: moveIn.job ?? "", words: plan.words };
}

/** Waits until both sides have ended; answers how. A busy machine may take long. */
export async function bothEnded(
	{ leave, arrive }: Begun,
	from: Person,
	to: Person,
	seconds = 170,
): Promise<[string, string]> {
	const ended = async (person: Person, job: string) => {
		const look = async () => {
			const { state, steps } = await person.api("GET /jobs/{id}", { path: { id: job } });
			if (state === "stuck") throw new Error(`stuck: ${JSON.stringify(steps.find(({ problem }) => problem))}`);
			return state === "done" || state === "undone" ? state : undefined;
		};
		return eventually(`${job} has ended`, look, seconds);
	};
	return [await ended(from, leave), await ended(to, arrive)];
}

/** How a customer's deployments under a domain stand. */
export async function statesOf(person: Person, domain: string): Promise<string[]> {
	const { items } = await person.api("GET /deployments");
	return items.filter((one) => one.domain === domain).map(({ state }) => state);
}
