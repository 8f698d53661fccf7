import { execFile } from "node:child_process";

/**
 * Tells systemd (`Type=notify`, sd_notify(3)) that the node is ready and keeps its watchdog content, through the
 * program systemd-notify, since Node has no datagram sockets of the Unix kind. The unit needs `NotifyAccess=all`.
 * Without systemd nothing happens.
 */
export async function tellServiceManager(environment: NodeJS.ProcessEnv): Promise<{ stopping(): void }> {
	if (!environment["NOTIFY_SOCKET"]) return { stopping() {} };
	await notify("READY=1");
	const watchdog = Number(environment["WATCHDOG_USEC"] ?? 0) / 1000;
	// Twice as often as asked, as sd_watchdog_enabled(3) advises.
	const timer = watchdog > 0 ? setInterval(() => notify("WATCHDOG=1"), watchdog / 2).unref() : undefined;
	return {
		stopping() {
			clearInterval(timer);
			notify("STOPPING=1");
		},
	};
}

/** A message that does not arrive is systemd's to notice; the node goes on. */
function notify(message: string): Promise<void> {
	return new Promise((resolve) => execFile("systemd-notify", [`--pid=${process.pid}`, message], () => resolve()));
}
