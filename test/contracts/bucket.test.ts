import { afterAll } from "vitest";
import { bucketsAt } from "./bucket-yard.ts";
import { S3StandIn } from "./s3-stand-in.ts";
import { describeVolume } from "./volume.ts";

/** At a real server: test/services/bucket.test.ts. */
const server = new S3StandIn();
const listening = server.listen();
afterAll(() => server.close());

describeVolume(
	"bucket",
	bucketsAt(() => listening),
);
