/** When copying while services run has come close enough for the freeze. Both nodes reckon with the same announcements. */
import type { Content } from "./messages.ts";

type Announced = Pick<Content<"announce">, "round" | "bytes" | "seconds" | "skipped">;

/** A round that took so long at most is short enough to do once more while services rest. Seconds. */
const shortEnough = 10;
/** Not more rounds than that: a service that writes faster than we copy must be stopped anyway. */
const most = 5;

/** Whether another round while services run would bring little. `announced`: each round once, in order. */
export function isCloseEnough(announced: readonly Announced[]): boolean {
	const [last, before] = [announced.at(-1), announced.at(-2)];
	if (!last) return false;
	if (announced.length >= most) return true;
	// What was changing under our eyes is fetched once more, so that there is something whole to rehearse with.
	if (last.skipped > 0) return false;
	if (last.seconds <= shortEnough) return true;
	return before !== undefined && last.bytes > before.bytes / 2;
}

/** Each round's first announcement, in order: a second one only adds the rehearsal. */
export function roundsOf<One extends Announced>(announced: readonly One[]): One[] {
	return announced.filter(({ round }, n) => announced.findIndex((one) => one.round === round) === n);
}
