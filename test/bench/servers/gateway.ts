/** Our gateway alone, before one service: `gateway.ts <port> <port of the service>`. */
import { Gateway } from "../../../node/gateway/gateway.ts";

const [own, service] = process.argv.slice(2).map(Number) as [number, number];
const gateway = new Gateway({
	find: () => ({ kind: "service", port: service }),
	panel: () => {},
	about: { provider: "bench", panel: "http://localhost" },
	trustProxy: false,
});
await gateway.listen({ host: "127.0.0.1", port: own });
