import { parentPort, workerData } from "node:worker_threads";
import { verifyFile } from "./verification.ts";

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread of Node, not a window
parentPort?.postMessage(verifyFile(String(workerData)));
