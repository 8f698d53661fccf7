/** The two providers of the demo: who they are, as any provider would say it in the configuration. */
export interface DemoProvider {
	/** Also the label of its panel's host name, and of its folder. */
	readonly key: "north" | "south";
	readonly name: string;
	readonly promise: string;
	readonly place: string;
	readonly jurisdiction: string;
	readonly price: string;
	readonly backups: string;
	readonly accent: string;
	/** Loopback ports for its services; the other provider's lie elsewhere. */
	readonly ports: readonly [first: number, last: number];
	/** Where its node may listen, behind the front door. */
	readonly doors: { readonly first: number; readonly last: number };
}

export const providers: readonly [DemoProvider, DemoProvider] = [
	{
		key: "north",
		name: "North",
		promise: "Your own corner of the Fediverse, kept by people you can call",
		place: "Groningen, the Netherlands",
		jurisdiction: "Dutch and EU law",
		price: "5 € a month, with 10 GB",
		backups: "Every night, kept for 30 days",
		accent: "#0b6b75",
		ports: [20000, 23999],
		doors: { first: 28000, last: 28499 },
	},
	{
		key: "south",
		name: "South",
		promise: "Social media for associations and schools, run on sunshine",
		place: "Graz, Austria",
		jurisdiction: "Austrian and EU law",
		price: "Free for associations and schools",
		backups: "Every Sunday, kept for 8 weeks",
		accent: "#a8421c",
		ports: [24000, 27999],
		doors: { first: 28500, last: 28999 },
	},
];

/** Where things are in the demo's one zone. */
export const zoneName = "localhost";
export const hostOf = ({ key }: Pick<DemoProvider, "key">) => `${key}.${zoneName}`;
export const mailHost = `mail.${zoneName}`;

/** What a provider's configuration says besides who it is. */
export interface Surroundings {
	/** The one port everything is behind. */
	readonly port: number;
	/** Where this node listens, behind it. */
	readonly listen: number;
	readonly nameServer: number;
	readonly mailServer: number;
	/** Where fetched programs are kept, for both. */
	readonly cache: string;
}

/** Its node.toml, written anew at each start. */
export function nodeToml(provider: DemoProvider, around: Surroundings): string {
	const { port, listen, nameServer, mailServer, cache } = around;
	const text = JSON.stringify;
	const others = providers.filter(({ key }) => key !== provider.key);
	return `# Written by the demo at each start; changes are lost.

[provider]
name = ${text(provider.name)}
promise = ${text(provider.promise)}
place = ${text(provider.place)}
jurisdiction = ${text(provider.jurisdiction)}
price = ${text(provider.price)}
backups = ${text(provider.backups)}
accent = ${text(provider.accent)}

[web]
url = "http://${hostOf(provider)}:${port}"
listen = "127.0.0.1:${listen}"
trust_proxy = true

[state]
folder = "."
cache = ${text(cache)}

[services]
origin = "http://{host}:${port}"
# All names lead to one door here, so what is handed on past the zone goes to the node itself.
front = "http://127.0.0.1:${listen}"

[zone]
name = "${zoneName}"
server = "127.0.0.1:${nameServer}"
key_name = "${provider.key}"
key_file = "tsig.key"

[engine]
first_port = ${provider.ports[0]}
last_port = ${provider.ports[1]}

[mail]
server = "smtp://127.0.0.1:${mailServer}"
from = ${text(`${provider.name} <panel@${hostOf(provider)}>`)}

[peers]
known = [${others.map((other) => text(`http://${hostOf(other)}:${port}`)).join(", ")}]

[demo]
mailbox = "http://${mailHost}:${port}/"
`;
}
