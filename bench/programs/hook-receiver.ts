/** Takes what is posted to it and does nothing: the least that a hook over HTTP can cost. Prints its port; ends when its stdin does. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const server = createServer((request, response) => void request.resume().on("end", () => response.writeHead(202).end()));
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
process.stdin.on("end", () => process.exit(0)).resume();
