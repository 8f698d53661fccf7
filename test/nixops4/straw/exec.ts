/** Test equipment: a stand-in for NixOps4's own provider `local`, with its one resource type `exec`. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

interface Exec {
	readonly executable: string;
	readonly args: readonly string[];
	readonly stdin: string;
}

for await (const line of createInterface({ input: process.stdin })) {
	const { createResourceRequest } = JSON.parse(line) as { createResourceRequest: { inputProperties: Exec } };
	const answer = await run(createResourceRequest.inputProperties).then(
		(stdout) => ({ createResourceResponse: { outputProperties: { stdout } } }),
		(error: Error) => ({ errorResponse: { message: error.message } }),
	);
	process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function run({ executable, args, stdin }: Exec): Promise<string> {
	const child = spawn(executable, args, { stdio: ["pipe", "pipe", "inherit"] });
	child.stdin.on("error", () => {});
	child.stdin.end(stdin);
	let output = "";
	child.stdout.setEncoding("utf8").on("data", (text: string) => {
		output += text;
	});
	const code = await new Promise<number | null>((ended, failed) => child.once("error", failed).once("close", ended));
	if (code !== 0) throw new Error(`Local resource process failed with exit code: exit status: ${code}`);
	return output;
}
