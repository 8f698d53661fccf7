import type { Place } from "../../volumes/volume.ts";

/** A database or a bucket, and how to get at it. */
export type Room = Extract<Place, { kind: "postgres" | "bucket" }>;

/** A server beside the services that keeps state for them: each volume in a database or bucket of its own, under a key of its own. */
export interface Depot {
	/** The room of a volume, `<deployment>/<service>/<volume>`, empty the first time; a second call finds the same. */
	open(volume: string): Promise<Room>;
	/** Removes it with all that is in it, for good. One that is not there is fine. */
	erase(volume: string): Promise<void>;
}

/** The port of this machine's loopback that one gets at it by; undefined: it is a socket in a folder, or at another machine. */
export function loopbackPort(place: Place): number | undefined {
	if (place.kind === "postgres") return isLoopback(place.host) ? place.port : undefined;
	if (place.kind !== "bucket") return undefined;
	const { hostname, port, protocol } = new URL(place.endpoint);
	const usual = protocol === "https:" ? 443 : 80;
	return isLoopback(hostname) ? Number(port) || usual : undefined;
}

const isLoopback = (host: string) => host === "localhost" || /^127\.\d+\.\d+\.\d+$/.test(host);
