// A resource provider that does nothing at all, to be measured beside.
import { createInterface } from "node:readline";

for await (const _ of createInterface({ input: process.stdin }))
	process.stdout.write('{"createResourceResponse":{"outputProperties":{"step":"x"}}}\n');
