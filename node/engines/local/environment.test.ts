import { describe, expect, test } from "vitest";
import { passingMarker, serviceEnvironment, workshopEnvironment } from "./environment.ts";

describe("a service's environment", () => {
	test("holds nothing of the node's but the search path and the way out", () => {
		const node = { PATH: "/opt/bin", FEDIVERSITY_VAULT: "x", AWS_SECRET: "y", SSL_CERT_FILE: "/ca.pem", HOME: "/root" };
		expect(serviceEnvironment(node)).toEqual({
			PATH: "/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			LANG: "C.UTF-8",
			SSL_CERT_FILE: "/ca.pem",
		});
	});

	test("never sends names of this machine to a proxy", () => {
		const found = serviceEnvironment({ PATH: "/bin", https_proxy: "http://proxy:1", no_proxy: "intern.example" });
		expect(found).toMatchObject({
			https_proxy: "http://proxy:1",
			no_proxy: "intern.example,localhost,.localhost,127.0.0.1",
		});
	});
});

describe("the environment of programs that fetch others", () => {
	test("keeps the node's, where registries and mirrors are set, but not what is its own or its npm's", () => {
		const node = { PATH: "/bin", HOME: "/home/x", npm_config_registry: "r", FEDIVERSITY_X: "x" };
		const npm = { npm_lifecycle_event: "start", npm_package_name: "n", npm_config_local_prefix: "/x" };
		expect(workshopEnvironment({ ...node, ...npm })).toEqual({
			PATH: "/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin",
			HOME: "/home/x",
			npm_config_registry: "r",
		});
	});

	test("is marked as passing, so that no plan can want it", () => {
		expect(passingMarker("north")).toEqual({ FEDIVERSITY_UNIT: "north/~passing" });
	});
});
