import { afterAll, beforeAll } from "vitest";
import { type Cluster, hasPostgres, startCluster } from "../postgres.ts";
import { postgres } from "./postgres-yard.ts";
import { describeVolume } from "./volume.ts";

let cluster: Cluster;
beforeAll(async () => {
	if (hasPostgres) cluster = await startCluster();
});
afterAll(() => cluster?.stop());

describeVolume(
	"postgres",
	postgres(() => cluster),
);
