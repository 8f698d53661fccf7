import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { askAt } from "../../node/engines/local/ask.ts";
import { askS3, type S3Access, type S3Request } from "../../node/engines/local/recipes/garage/s3.ts";
import { accessWith } from "../../node/engines/local/recipes/garage.ts";
import { life } from "./life.ts";
import { canRun, type Site, Town } from "./site.ts";

const can = await canRun("garage");

describe.skipIf(!can)("Garage (needs Cargo to be built, or itself on the search path)", () => {
	let town: Town;
	let site: Site;
	beforeAll(async () => {
		town = await new Town().open();
		site = town.site("garage");
	});
	afterAll(() => town?.close());

	/** As the services beside it do, on loopback. */
	function s3(access: S3Access, request: Pick<S3Request, "method" | "path" | "body">, at = site) {
		const ask = askAt(at.origin, (name = "") => at.ports[name] ?? 0);
		return askS3(ask, access, { ...request, host: `127.0.0.1:${at.ports["s3"]}`, now: new Date() });
	}
	const own = (at = site) => accessWith(at.vault.secrets.get(`${at.deployment}/garage/key`) ?? "");

	life(() => site, {
		async make() {
			const photo = { path: `/photos/${randomUUID()}.txt`, body: `A picture of the choir ${"♪".repeat(100_000)}` };
			expect(await s3(own(), { method: "PUT", ...photo, path: `/${site.host}${photo.path}` })).toMatchObject({
				status: 200,
			});
			return photo;
		},
		async find(at, { path, body }) {
			expect((await s3(own(at), { method: "GET", path: `/${at.host}${path}` }, at)).body).toBe(body);
			expect(await at.text(path)).toBe(body);
		},
		async besides() {
			const stranger = accessWith("0".repeat(64));
			const forged = { ...own(), secret: "0".repeat(64) };
			for (const access of [stranger, forged])
				for (const method of ["GET", "PUT", "DELETE"] as const)
					expect((await s3(access, { method, path: `/${site.host}/a` })).status).toBe(403);
			// Through the gateway there is only reading.
			expect((await site.fetch("/a", { method: "PUT", body: "x" })).status).toBe(400);
			expect((await site.fetch("/health")).status).toBe(404);
			expect((await site.fetch("/v2/GetClusterStatus")).status).toBe(404);
		},
	});
});
