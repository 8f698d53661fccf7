// Furnishes Garage by its admin API, version 2: lays out its nodes once all are there, imports the key, opens buckets. What is there
// already stays as it is. Argument: a JSON file {admin, nodes, buckets, key?, zones?, capacityGiB?}; the admin token and the key's
// secret lie in $CREDENTIALS_DIRECTORY.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const wanted = JSON.parse(readFileSync(process.argv[2], "utf8"));
const token = credential("admin");

await layOut();
if (wanted.buckets.length > 0) {
	const secret = credential("key");
	const id = `GK${createHash("sha256").update(`id of ${secret}`).digest("hex").slice(0, 24)}`;
	await importKey(id, secret);
	for (const name of wanted.buckets) await openBucket(name, id);
}

async function layOut() {
	const layout = await call("GetClusterLayout");
	if (layout.roles.length > 0) return;
	const { nodes } = await call("GetClusterStatus");
	const up = nodes.filter(({ isUp }) => isUp);
	if (up.length < wanted.nodes) throw new Error(`${up.length} of ${wanted.nodes} nodes are there`);
	const capacity = wanted.capacityGiB ? wanted.capacityGiB * 2 ** 30 : 2 ** 40;
	const zone = (id) => wanted.zones?.[id] ?? (wanted.nodes > 1 ? id.slice(0, 8) : "here");
	await call("UpdateClusterLayout", { roles: up.map(({ id }) => ({ id, zone: zone(id), capacity, tags: [] })) });
	await call("ApplyClusterLayout", { version: layout.version + 1 });
}

async function importKey(accessKeyId, secretAccessKey) {
	if (await call(`GetKeyInfo?id=${accessKeyId}`)) return;
	await call("ImportKey", { accessKeyId, secretAccessKey, name: wanted.key });
}

/** Everybody may read it as a website; the key may change it. */
async function openBucket(globalAlias, accessKeyId) {
	const known = await call(`GetBucketInfo?globalAlias=${encodeURIComponent(globalAlias)}`);
	const { id } = known ?? (await call("CreateBucket", { globalAlias }));
	const permissions = { read: true, write: true, owner: true };
	await call("AllowBucketKey", { bucketId: id, accessKeyId, permissions });
	const websiteAccess = { enabled: true, indexDocument: "index.html", errorDocument: null };
	await call(`UpdateBucket?id=${id}`, { websiteAccess });
}

/** Null: there is no such thing. */
async function call(name, body) {
	const response = await fetch(`${wanted.admin}/v2/${name}`, {
		method: body === undefined ? "GET" : "POST",
		headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
		body: body === undefined ? undefined : JSON.stringify(body),
	});
	const text = await response.text();
	if (response.status === 404) return null;
	if (!response.ok) throw new Error(`${name} answered ${response.status}: ${text.slice(0, 300)}`);
	return text === "" ? null : JSON.parse(text);
}

function credential(name) {
	return readFileSync(join(process.env.CREDENTIALS_DIRECTORY, name), "utf8").trimEnd();
}
