import { expect, test } from "vitest";
import { Said } from "./said.ts";

const ended = "nixops4 ended with exit code 1";

function said(...lines: string[]): Said {
	const all = new Said();
	for (const line of lines) all.hear(line);
	return all;
}

test.each<[string, string, string[]]>([
	[
		"what Nix says at last, of all that it says of where it was",
		"Evaluation error: A definition for option `members.a.inputs.step' is not of type `string'.",
		[
			"2026-11-23T03:25:37.762138Z  INFO Applying composite:Previewing composite: nixops4::work: close time.busy=411µs",
			"nixops4 error: Evaluation error: \u001b[31;1merror:\u001b[0m",
			"       … while evaluating the attribute '\u001b[35;1mvalue\u001b[0m'",
			'         1147|       value = addErrorContext "error: none" value;',
			"       (stack trace truncated; use '--show-trace' to show the full, detailed trace)",
			"",
			"       \u001b[31;1merror:\u001b[0m A definition for option `members.a.inputs.step' is not of type `string'.",
			"       - In `<unknown-file>': 3",
		],
	],
	[
		"that it is the NixOS, where Nix could not build it",
		"its NixOS could not be built, or it could not be switched to that; the log has why",
		[
			"building '/nix/store/20y4yfq6bdibmccc5piznch25mqx5x8a-nixos-system.drv'...",
			"nixops4 error: Evaluation error: \u001b[31;1merror:\u001b[0m Cannot build '\u001b[35;1m/nix/store/20y4yfq6bdibmccc5piznch25mqx5x8a-nixos-system.drv\u001b[0m'.",
			"       Reason: \u001b[31;1mbuilder failed with exit code 1\u001b[0m.",
		],
	],
	[
		"the same in the words of an older Nix",
		"its NixOS could not be built, or it could not be switched to that; the log has why",
		[
			"nixops4 error: Evaluation error: error:",
			"       … while evaluating the attribute 'args'",
			"       error: 1 dependencies of derivation '/nix/store/x-nixos-system.drv' failed to build",
		],
	],
	[
		"that NixOps4 broke down, whatever its evaluator says of that",
		"it broke down itself, it panicked at nixops4-resource-runner/src/lib.rs:64:30",
		[
			"2026-11-23T03:37:20.813094Z ERROR Applying composite: nixops4::logging::headless: panicked at nixops4-resource-runner/src/lib.rs:64:30:",
			"called `Result::unwrap()` on an `Err` value: Os { code: 32, kind: BrokenPipe }",
			"thread 'evaluator' (26641) panicked at nixops4-eval/src/main.rs:202:24:",
		],
	],
	[
		"what the program of a resource said, over several lines",
		"Failed to create resource a: no room",
		["nixops4 error: Failed to create resource a: no room", "", "Caused by:", "    error: something else"],
	],
	[
		"what was said last, without addresses",
		`${ended}: could not reach …`,
		["could not reach https://x.example/y", " "],
	],
	["nothing, where nothing was said", ended, []],
])("a run's reason is %s", (_, reason, lines) => {
	expect(said(...lines).reason(ended)).toBe(reason);
});

test("what begins and ends within NixOps4 is left out, and so are colours; what its programs say is kept", () => {
	const { lines } = said(
		'2026-11-23T03:25:37.774616Z  INFO Applying composite:Applying resource{resource=ComponentPath(["a"])}:creating resource{name="a"}: nixops4::work: new',
		'2026-11-23T03:25:37.771738Z  INFO Getting resource input value{resource=ComponentPath(["a"]) input="after"}: nixops4::work: close time.busy=11.8µs time.idle=2.82ms',
		'2026-11-23T03:25:37.774392Z  INFO nixops4-eval-queue-worker:evaluating and realising provider{resource_name="a"}: nixops4_eval::eval: close time.busy=0.00ns time.idle=23.1µs',
		"2026-11-23T03:25:37.9Z  INFO nixops4::work: Skipping update for resource a: inputs unchanged",
		"\u001b[1mbuilding\u001b[0m '/nix/store/galene.drv'",
	);
	expect(lines).toEqual([
		"2026-11-23T03:25:37.9Z  INFO nixops4::work: Skipping update for resource a: inputs unchanged",
		"building '/nix/store/galene.drv'",
	]);
});
