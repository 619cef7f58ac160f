import { examples } from "../../src/api/examples.ts";
import type { Route } from "../../src/contract/route.ts";
import { routes, type RouteName } from "../../src/contract/routes.ts";

/** A request that each route of the table takes, for a Control that has a task `api#1`. */
export interface RouteRequest {
  readonly name: RouteName;
  readonly route: Route;
  readonly path: string;
  readonly body: string | undefined;
}

const values: Readonly<Record<string, string>> = {
  project: "api",
  task: "api%231",
  run: examples.getRun.response.id,
  worker: "1",
  alert: examples.dismissAlert.response.id,
  message: examples.getMessage.response.id,
  report: examples.getReport.response.id,
  channel: "team",
  workflow: "issue",
  pass: "order",
  circuit: encodeURIComponent(examples.resetCircuit.response.id),
  account: encodeURIComponent(examples.resetAccount.response.key),
};

export const everyRoute: readonly RouteRequest[] = (Object.entries(routes) as [RouteName, Route][]).map(([name, route]) => ({
  name,
  route,
  path: route.path.replace(/\{(\w+)\}/g, (_, parameter: string) => values[parameter] ?? ""),
  body: route.method === "GET" ? undefined : JSON.stringify(examples[name].body ?? {}),
}));
